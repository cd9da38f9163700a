-- request.is_blank(): whether a text shows nothing, on every server alike.
begin;
set local search_path = tap, public;
select plan(27);

select ok(
  request.is_blank(chr(code)),
  format('A text of U+%s alone is blank', upper(lpad(to_hex(code), 4, '0')))
)
from unnest(array[9, 10, 11, 12, 13, 32, 133, 160, 5760, 8192, 8202, 8203, 8232, 8233, 8239, 8287, 8288, 12288, 65279]) as code;

select ok(request.is_blank(''), 'An empty text is blank');
select ok(request.is_blank(e' \t\u00a0\n'), 'A text of several kinds of white space is blank');

select ok(not request.is_blank(value), format('"%s" is not blank', value))
from unnest(array['a', ' a ', '.', '0', '🙂']) as value;

select is(request.is_blank(null), null, 'Of no text it is unknown whether it is blank');

select * from finish();
rollback;
