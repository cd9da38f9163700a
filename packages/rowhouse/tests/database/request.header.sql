-- request.header(name): a header of the request.
begin;
set local search_path = tap, public;
select plan(8);

select is(request.header('prefer'), null, 'Outside a request there are no headers');

set local request.headers = '';

select is(request.header('prefer'), null, 'After a request, when the setting is empty, there are no headers');

set local request.headers = '{"prefer": "return=minimal", "x-empty": ""}';

select is(request.header('prefer'), 'return=minimal', 'A header that was sent is there');
select is(request.header('Prefer'), 'return=minimal', 'The name of a header may be in any case');
select is(request.header('x-empty'), '', 'A header sent empty is not the same as none');
select is(request.header('if-match'), null, 'A header that was not sent is null');

set local role authenticated;

select is(request.header('prefer'), 'return=minimal', 'A user may read the headers that they sent');

set local role anonymous;

select is(request.header('prefer'), 'return=minimal', 'Anonymous may read the headers that they sent');

reset role;
select * from finish();
rollback;
