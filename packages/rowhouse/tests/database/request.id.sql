-- request.id(): the X-Request-Id header, where it is fit for a log line, else the id that was made.
begin;
set local search_path = tap, public;
select plan(18);

create function pg_temp.id_when_sent(value text)
returns text
language plpgsql
as $$
begin
  perform tap.send_header('x-request-id', value);
  return request.id();
end
$$;

select is(request.id(), null, 'Outside a request there is no request id');

select is(pg_temp.id_when_sent(value), value, 'A request id may be ' || meaning)
from (
  values
    ('7', 'one character'),
    (repeat('a', 48), '48 characters'),
    ('Az09._-', 'of letters, digits, dots, underscores and dashes'),
    ('0198c0de-0000-7000-8000-000000000000', 'a UUID')
) as fit (value, meaning);

select is(pg_temp.id_when_sent(value), null, 'A request id may not be ' || meaning)
from (
  values
    ('', 'empty'),
    (repeat('a', 49), '49 characters'),
    ('a b', 'in two words'),
    (e'a\nb', 'on two lines'),
    (e'a\n', 'followed by a line feed'),
    ('a"b', 'quoted'),
    ('a;b', 'two statements'),
    ('%s', 'a format'),
    ('naïve', 'beyond ASCII')
) as unfit (value, meaning);

set local request.made_id = 'made';

select is(pg_temp.id_when_sent('a b'), 'made', 'In place of an unfit request id stands the one that was made');
select is(pg_temp.id_when_sent('7'), '7', 'A fit request id goes before one that was made');

set local role authenticated;

select lives_ok('select request.id()', 'A user may ask for the request id');

set local role anonymous;

select lives_ok('select request.id()', 'Anonymous may ask for the request id');

reset role;
select * from finish();
rollback;
