-- Who reaches api.users. Alice and Bob are there; Carol has a token, and no row yet. Nothing
-- here changes them: touched() undoes what it counts.
begin;
set local search_path = tap, public;
select plan(69);

create function pg_temp.carol()
returns uuid
language sql
immutable
return 'ca401000-0000-4000-8000-000000000000'::uuid;

grant execute on function pg_temp.carol() to public;

insert into api.users (id, email, name)
values
  (alice(), 'alice@example.com', 'Alice'),
  (bob(), 'bob@example.com', 'Bob');

-- Grants and policies, as declared

select ok(
  (select relrowsecurity and relforcerowsecurity from pg_class where oid = 'api.users'::regclass),
  'Row-level security is on for users, and forced on their owner too'
);

select is(
  privileges_on('api.users'),
  array[
    'authenticated insert (id, email, name)',
    'authenticated select (id, email, name, created_at, updated_at)',
    'authenticated update (name)',
    'identity_service delete',
    'identity_service insert (id, email, name)',
    'identity_service select (id, email)',
    'identity_service update (email)'
  ],
  'Users and the sign-in service hold these privileges on users, and no other role holds any'
);

select is(
  array(
    select concat_ws(
      ' ',
      policyname,
      lower(permissive),
      'for',
      lower(cmd),
      'to',
      roles,
      case when qual is not null then 'using' end,
      case when with_check is not null then 'with check' end
    )
    from pg_policies
    where schemaname = 'api' and tablename = 'users' and roles <> '{identity_service}'
    order by policyname
  ),
  array[
    'insert_own permissive for insert to {authenticated} with check',
    'select_own permissive for select to {authenticated} using',
    'update_own permissive for update to {authenticated} using with check'
  ],
  'Users have one policy for each command but delete; those of the sign-in service are its own'
);

-- Carol, a new user

select act_as(pg_temp.carol(), 'carol@example.com');

select is_empty('select id from api.users', 'Carol sees no user before she has a row');

select is(
  touched($$
    insert into api.users (id, email, name)
    values (pg_temp.carol(), 'carol@example.com', 'Carol')
    returning id, email, name, created_at, updated_at
  $$),
  1::bigint,
  'Carol creates her own row and gets it back'
);

select is(
  touched($$
    insert into api.users (id, email)
    values (pg_temp.carol(), 'carol@example.com')
    on conflict (id) do update
    set name = excluded.name
  $$),
  1::bigint,
  'Carol creates her own row by upsert'
);

select throws_ok(
  format('insert into api.users (id, email) values (pg_temp.carol(), %s)', email),
  '42501', 'new row violates row-level security policy for table "users"',
  'Carol cannot create herself with ' || meaning
)
from (
  values
    ($$'bob@example.com'$$, 'the email address of Bob'),
    ($$'Carol@example.com'$$, 'her email address in another case'),
    ('null', 'no email address, since her token names one')
) as attempt (email, meaning);

select throws_ok(
  $$insert into api.users (email) values ('carol@example.com')$$,
  '42501', 'new row violates row-level security policy for table "users"',
  'Carol cannot create a user with an id that is not hers'
);

select throws_ok(
  $$
    insert into api.users (id, email)
    values (pg_temp.carol(), 'carol@example.com'), (gen_random_uuid(), 'carol@example.com')
  $$,
  '42501', 'new row violates row-level security policy for table "users"',
  'Carol cannot create another user beside herself'
);

select throws_ok(
  $$
    insert into api.users (id, email, created_at)
    values (pg_temp.carol(), 'carol@example.com', '2001-01-01')
  $$,
  '42501', 'permission denied for table users',
  'Carol cannot say when she was created'
);

select act_as(pg_temp.carol());

select is(
  touched('insert into api.users (id) values (pg_temp.carol())'),
  1::bigint,
  'Carol creates her own row without an email address when her token names none'
);

select throws_ok(
  $$insert into api.users (id, email) values (pg_temp.carol(), 'bob@example.com')$$,
  '42501', 'new row violates row-level security policy for table "users"',
  'Carol cannot name an email address when her token names none'
);

-- Alice and her own rows

select act_as(alice(), 'alice@example.com');

select results_eq(
  'select name from api.users',
  array['Alice'],
  'Alice sees herself alone'
);

select results_eq(
  'select count(*) from api.users',
  array[1::bigint],
  'Alice counts herself alone'
);

select is(
  touched($$update api.users set name = 'Alicia' where id = alice() returning name, updated_at$$),
  1::bigint,
  'Alice changes her name and gets her row back'
);

select is(
  touched($$update api.users set name = 'Alicia'$$),
  1::bigint,
  'Alice changes herself alone, even with an update that reads nothing'
);

select is(
  touched($$
    insert into api.users (id, email, name)
    values (alice(), 'alice@example.com', 'Alicia')
    on conflict (id) do update
    set name = excluded.name
  $$),
  1::bigint,
  'Alice changes her name by upsert'
);

select is(
  touched($$
    insert into api.users (id, email)
    values (alice(), 'alice@example.com')
    on conflict (id) do nothing
  $$),
  0::bigint,
  'Alice repeats the creation of her row, and nothing happens'
);

select throws_constraint(
  $$insert into api.users (id, email) values (alice(), 'alice@example.com')$$,
  '23505', 'users_pkey',
  'Alice cannot have two rows'
);

select throws_ok(
  format('update api.users set %I = default', column_name),
  '42501', 'permission denied for table users',
  'Alice cannot change her ' || column_name
)
from unnest(array['id', 'email', 'created_at', 'updated_at']) as fixed (column_name);

select throws_ok(
  statement,
  '42501', 'permission denied for table users',
  'Alice cannot ' || verb
)
from (
  values
    ('delete herself', 'delete from api.users where id = alice()'),
    ('delete all users', 'delete from api.users'),
    ('truncate users', 'truncate api.users cascade')
) as attempt (verb, statement);

-- Bob and the rows of Alice: she is hidden, Carol has no row, and Bob cannot tell the difference

select act_as(bob(), 'bob@example.com');

select is_empty(
  $$select name from api.users where id = alice() or email = 'alice@example.com'$$,
  'Bob cannot see Alice, neither by id nor by email address'
);

select is(
  touched($$update api.users set name = 'Robert'$$),
  1::bigint,
  'Bob changes himself alone, even with an update that reads nothing'
);

select is(
  touched(format('update api.users set name = %L where id = %L', 'Bob was here', id)),
  0::bigint,
  'Bob cannot change a user who is ' || fate
)
from (values (alice(), 'hidden'), (pg_temp.carol(), 'not there')) as other (id, fate);

select is(
  touched(format('update api.users set name = %L where id = %L', '', id)),
  0::bigint,
  'Bob learns nothing from a faulty change of a user who is ' || fate
)
from (values (alice(), 'hidden'), (pg_temp.carol(), 'not there')) as other (id, fate);

select throws_ok(
  format('insert into api.users (id, email) values (%L, %L) %s', id, 'bob@example.com', action),
  '42501', 'new row violates row-level security policy for table "users"',
  format('Bob cannot create a user who is %s: %s', fate, coalesce(action, 'plainly'))
)
from (values (alice(), 'hidden'), (pg_temp.carol(), 'not there')) as other (id, fate)
cross join (
  values
    (null),
    ('returning id'),
    ('on conflict do nothing'),
    ('on conflict (id) do update set name = excluded.name')
) as way (action);

-- Should a grant ever be too wide, the policies still hold

reset role;
grant update (id, email), delete on api.users to authenticated;
select act_as(bob(), 'bob@example.com');

select throws_ok(
  'update api.users set id = ' || id,
  '42501', 'new row violates row-level security policy for table "users"',
  format('Bob cannot become %s, even if the key could be changed', name)
)
from (
  values
    ('pg_temp.carol()', 'Carol, whose id is greater'),
    ($$'aa000000-0000-4000-8000-000000000000'$$, 'one whose id is less'),
    ('null', 'a user without an id')
) as other (id, name);

select is(
  touched('delete from api.users'),
  0::bigint,
  'Bob deletes no user, even if a delete were granted'
);

-- A token that names no user

select act_with('{"role": "authenticated"}');

select is_empty('select id from api.users', 'A user without a sub sees no user');

select is(
  touched($$update api.users set name = 'x'$$) + touched('delete from api.users'),
  0::bigint,
  'A user without a sub changes and deletes no user'
);

select throws_ok(
  'insert into api.users (id) values ' || id,
  '42501', 'new row violates row-level security policy for table "users"',
  'A user without a sub cannot create ' || meaning
)
from (
  values
    ('(default)', 'a user'),
    ('(alice())', 'Alice'),
    ('(alice()) on conflict (id) do update set name = excluded.name', 'Alice by upsert')
) as attempt (id, meaning);

-- No token, even with usage on the schema api

reset role;
grant usage on schema api to anonymous;
select act_anonymously();

select throws_ok(
  statement,
  '42501', 'permission denied for table users',
  'Anonymous cannot ' || verb || ' users'
)
from (
  values
    ('select', 'select id from api.users'),
    ('count', 'select count(*) from api.users'),
    ('insert', 'insert into api.users (id) values (pg_temp.carol())'),
    ('bulk insert', 'insert into api.users (id) values (pg_temp.carol()), (default)'),
    ('insert and get back', 'insert into api.users (id) values (pg_temp.carol()) returning id'),
    ('update', $$update api.users set name = 'x' where id = alice()$$),
    ('update all', $$update api.users set name = 'x'$$),
    ('delete', 'delete from api.users where id = alice()'),
    ('delete all', 'delete from api.users'),
    ('upsert', 'insert into api.users (id) values (alice()) on conflict do nothing'),
    (
      'upsert over',
      $$insert into api.users (id) values (alice()) on conflict (id) do update set name = 'x'$$
    ),
    ('truncate', 'truncate api.users cascade')
) as attempt (verb, statement);

-- The same where every grant is too wide, and the claims are those of Alice or Carol

reset role;
grant all on api.users to anonymous;
select act_as(alice());
set local role anonymous;

select is_empty(
  'select id from api.users',
  'Anonymous sees no user, even with every grant and the claims of Alice'
);

select is(
  touched($$update api.users set name = 'x'$$) + touched('delete from api.users'),
  0::bigint,
  'Anonymous changes and deletes no user, even with every grant and the claims of Alice'
);

reset role;
select act_as(pg_temp.carol());
set local role anonymous;

select throws_ok(
  'insert into api.users (id) values (pg_temp.carol())',
  '42501', 'new row violates row-level security policy for table "users"',
  'Anonymous creates no user, even with every grant and the claims of Carol'
);

-- The owner of the table, who is no superuser and serves no requests

reset role;
select act_as(alice());
reset role;
select act_as_owner_of('api.users');

select is_empty(
  'select id from api.users',
  'The owner of the table sees no user, not even with the claims of Alice'
);

select is(
  touched($$update api.users set name = 'x'$$) + touched('delete from api.users'),
  0::bigint,
  'The owner of the table changes and deletes no user'
);

reset role;
select act_as(pg_temp.carol());
set local role owner_of_users;

select throws_ok(
  'insert into api.users (id) values (pg_temp.carol())',
  '42501', 'new row violates row-level security policy for table "users"',
  'The owner of the table creates no user, not even with the claims of Carol'
);

reset role;
select * from finish();
rollback;
