-- request.email(): the email address that the token vouches for.
begin;
set local search_path = tap, public;
select plan(6);

select is(request.email(), null, 'Outside a request there is no email address');

select act_as(alice(), 'alice@example.com');

select is(request.email(), 'alice@example.com', 'Alice has the email address of her token');

select act_as(alice());

select is(request.email(), null, 'An email claim of null is no email address');

select act_with('{"role": "authenticated", "email": ""}');

select is(request.email(), null, 'An empty email claim is no email address');

select act_with('{"role": "authenticated", "mail": "alice@example.com"}');

select is(request.email(), null, 'No other claim is an email address');

select act_anonymously();

select throws_ok(
  'select request.email()',
  '42501', 'permission denied for function email',
  'Anonymous cannot ask for an email address'
);

reset role;
select * from finish();
rollback;
