-- request.claims(): what the token says.
begin;
set local search_path = tap, public;
select plan(6);

select is(request.claims(), '{}', 'Outside a request there are no claims');

set local request.jwt.claims = '';

select is(request.claims(), '{}', 'After a request, when the setting is empty, there are no claims');

set local request.jwt.claims = '{"sub": "x", "nested": {"a": [1, null]}}';

select is(
  request.claims(),
  '{"sub": "x", "nested": {"a": [1, null]}}',
  'The claims are those of the token, in full'
);

set local role authenticated;

select is(request.claims() ->> 'sub', 'x', 'A user may read their own claims');

set local role anonymous;

select is(request.claims() ->> 'sub', 'x', 'Anonymous may read their own claims');

reset role;
set local request.jwt.claims = '{"sub":';

select throws_ok(
  'select request.claims()',
  '22P02', 'invalid input syntax for type json',
  'Claims that are no JSON are an error, and not an anonymous caller'
);

select * from finish();
rollback;
