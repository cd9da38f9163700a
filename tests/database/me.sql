-- api.me(): the caller's own row.
begin;
set local search_path = tap, public;
select plan(14);

select is(
  array(
    select coalesce(nullif(grantee, 0)::regrole::text, 'public')
    from pg_proc
    cross join aclexplode(coalesce(proacl, acldefault('f', proowner)))
    where pg_proc.oid = 'api.me()'::regprocedure and grantee <> proowner
  ),
  array['authenticated'],
  'Users may call the function, and no other role may'
);

insert into api.users (id, email, name)
values (bob(), 'bob@example.com', 'Bob');

select act_as(alice(), 'alice@example.com');

select results_eq(
  'select id, email, name, created_at, updated_at from api.me()',
  $$values (alice(), 'alice@example.com', null::text, now(), now())$$,
  'The first call creates the row of Alice from her token'
);

select is(
  touched($$update api.users set name = 'Alice'$$),
  1::bigint,
  'Afterwards Alice has exactly one row'
);

update api.users
set name = 'Alice';

select results_eq(
  'select id, name from api.me()',
  $$values (alice(), 'Alice')$$,
  'A second call answers with what is there'
);

select act_as(alice(), 'alice@elsewhere.example');

select results_eq(
  'select id, email from api.me()',
  $$values (alice(), 'alice@example.com')$$,
  'A token with another email address changes nothing'
);

select act_as(bob(), 'bob@example.com');

select results_eq(
  'select id, name from api.me()',
  $$values (bob(), 'Bob')$$,
  'Bob gets himself, and not Alice'
);

select act_as('ca401000-0000-4000-8000-000000000000');

select results_eq(
  'select id, email from api.me()',
  $$values ('ca401000-0000-4000-8000-000000000000'::uuid, null::text)$$,
  'A token without an email address makes a user without one'
);

select act_as('da4e0000-0000-4000-8000-000000000000', 'no address');

select throws_constraint(
  'select api.me()',
  '23514', 'users_email_form',
  'A token with an email claim that is no address makes no user'
);

select act_with('{"role": "authenticated"}');

select throws_ok(
  'select api.me()',
  '42501', 'new row violates row-level security policy for table "users"',
  'A token without a sub makes no user'
);

select act_anonymously();

select throws_ok(
  'select api.me()',
  '42501', 'permission denied for schema api',
  'Anonymous cannot call the function'
);

reset role;
grant usage on schema api to anonymous;
set local role anonymous;

select throws_ok(
  'select api.me()',
  '42501', 'permission denied for function me',
  'Anonymous cannot call the function even with usage on the schema'
);

-- A superuser, whom no policy stops, with the claims of Alice

reset role;
select act_as(alice(), 'alice@example.com');
reset role;

select results_eq(
  'select id from api.me()',
  array[alice()],
  'The function names the caller itself, and does not rely on the policies'
);

-- A table of the same name, earlier in the search path, is not mistaken for ours

reset role;
create temporary table users (like api.users including all);
grant all on users to authenticated;
select act_as(alice(), 'alice@example.com');

select lives_ok('select api.me()', 'Alice calls while another table is called users');

select is_empty('select id from pg_temp.users', 'The other table stays empty');

reset role;
select * from finish();
rollback;
