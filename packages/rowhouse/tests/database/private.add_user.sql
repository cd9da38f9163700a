-- private.add_user(): the first row that a user owns makes the user.
begin;
set local search_path = tap, public;
select plan(9);

select act_as(alice(), 'alice@example.com');

select lives_ok(
  $$insert into api.tasks (title) values ('The first'), ('The second')$$,
  'Alice creates rows before she has a row of her own'
);

select results_eq(
  'select id, email, name from api.users',
  $$values (alice(), 'alice@example.com', null::text)$$,
  'They make her row, from her token'
);

update api.users
set name = 'Alice';

select act_as(alice(), 'alice@elsewhere.example');

select lives_ok($$insert into api.tasks (title) values ('The third')$$, 'She creates another');

select results_eq(
  'select email, name from api.users',
  $$values ('alice@example.com', 'Alice')$$,
  'Then her row stays as it is'
);

select throws_ok(
  $$insert into api.tasks (user_id, title) values (bob(), 'x')$$,
  '42501', 'new row violates row-level security policy for table "tasks"',
  'She still creates nothing in the name of Bob'
);

reset role;

select is_empty('select id from api.users where id = bob()', 'No attempt of hers makes Bob a user');

select act_as('da4e0000-0000-4000-8000-000000000000', 'no address');

select throws_constraint(
  $$insert into api.tasks (title) values ('x')$$,
  '23514', 'users_email_form',
  'A token with an email claim that is no address makes no user'
);

reset role;
set local request.jwt.claims = '';

select throws_constraint(
  $$insert into api.tasks (user_id, title) values (bob(), 'x')$$,
  '23503', 'tasks_user_id_fkey',
  'Outside a request no user is made: an operator names one who is there'
);

select lives_ok(
  $$insert into api.tasks (user_id, title) values (alice(), 'x')$$,
  'And may'
);

select * from finish();
rollback;
