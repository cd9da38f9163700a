-- The schema identity: the sign-in service alone reaches it, and keeps api.users in step with it.
-- Alice and Bob are users of other providers; Carol has an account here.
begin;
set local search_path = tap, public;
select plan(41);

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

-- So that the assertions can be called in its name.
grant usage on schema tap to identity_service;
grant execute on all functions in schema tap to identity_service;
grant select on all tables in schema tap to identity_service;

create temporary table identity_tables as
select pg_class.oid, relname
from pg_class
where relnamespace = 'identity'::regnamespace and relkind = 'r';

-- Who reaches what

select is(
  array(
    select coalesce(nullif(grantee, 0)::regrole::text, 'public') || ' ' || lower(privilege_type)
    from pg_namespace
    cross join aclexplode(nspacl)
    where nspname = 'identity' and grantee <> nspowner
  ),
  array['identity_service usage'],
  'The sign-in service alone may use the schema'
);

select is(
  privileges_on('identity.' || relname),
  array[
    'identity_service delete',
    'identity_service insert',
    'identity_service select',
    'identity_service update'
  ],
  'The sign-in service alone holds privileges on ' || relname
)
from identity_tables
order by relname;

select is_empty(
  $$
    select proname, grantee::regrole
    from pg_proc
    cross join aclexplode(coalesce(proacl, acldefault('f', proowner)))
    where pronamespace = 'identity'::regnamespace and grantee <> proowner
  $$,
  'No role may call a trigger function of the schema'
);

select is(
  (
    select concat_ws(
      ' ',
      case when rolcanlogin then 'login' end,
      case when rolinherit then 'inherit' end,
      case when rolsuper then 'superuser' end,
      case when rolbypassrls then 'bypassrls' end,
      case when rolcreaterole then 'createrole' end,
      case when rolcreatedb then 'createdb' end,
      case when rolreplication then 'replication' end,
      array_to_string(rolconfig, ' ')
    )
    from pg_roles
    where rolname = 'identity_service'
  ),
  'login statement_timeout=5s',
  'The sign-in service logs in, and has no power over the server'
);

select is_empty(
  $$
    select member::regrole, roleid::regrole
    from pg_auth_members
    where 'identity_service'::regrole in (member, roleid)
    and not admin_option
  $$,
  'The sign-in service is no other role, and no other role is the sign-in service'
);

select is(
  array(
    select format('%s.%s', relnamespace::regnamespace, relname)
    from pg_class
    where relnamespace::regnamespace::text in ('api', 'private', 'request', 'public')
    and relkind in ('r', 'p', 'v', 'm', 'f')
    and has_any_column_privilege('identity_service', oid, 'select, insert, update, references')
    order by 1
  ),
  array['api.users'],
  'Of the tables of the API the sign-in service reaches the users alone'
);

-- Its policies and functions

select is(
  array(
    select concat_ws(
      ' ',
      format('%s.%s: %s', schemaname, tablename, policyname),
      lower(permissive),
      'for',
      lower(cmd),
      'to',
      roles,
      'using ' || qual,
      'with check ' || with_check
    )
    from pg_policies
    where schemaname = 'identity' or 'identity_service' = any (roles)
    order by 1
  ),
  array[
    'api.users: delete_identity permissive for delete to {identity_service} using true',
    'api.users: insert_identity permissive for insert to {identity_service} with check true',
    'api.users: select_identity permissive for select to {identity_service} using true',
    'api.users: update_identity permissive for update to {identity_service} using true with check true'
  ],
  'The sign-in service has one policy for each command on users, and privileges alone guard the schema'
);

select is_empty(
  $$
    select proname
    from pg_proc
    where pronamespace = 'identity'::regnamespace
    and (prosecdef or not ('search_path=""' = any (coalesce(proconfig, '{}'))))
  $$,
  'Its functions act with the rights of the sign-in service alone, and with an empty search path'
);

select is(
  array(
    select format('%s.%s%s', relname, attname, case when attnotnull then ' not null' end)
    from identity_tables
    join pg_attribute on attrelid = identity_tables.oid
    join pg_constraint on conrelid = attrelid and contype = 'f' and conkey = array[attnum]
    where confrelid = 'identity.users'::regclass and confdeltype = 'c'
    order by 1
  ),
  array[
    'accounts.user_id not null',
    'passkeys.user_id not null',
    'sessions.user_id not null',
    'two_factors.user_id not null'
  ],
  'Everything of an account is deleted with it'
);

set local role authenticated;

select throws_ok(
  'select from identity.' || relname,
  '42501', 'permission denied for schema identity',
  'A user cannot name ' || relname
)
from unnest(array['users', 'sessions', 'signing_keys']) as relname;

set local role anonymous;

select throws_ok(
  'select from identity.' || relname,
  '42501', 'permission denied for schema identity',
  'Anonymous cannot name ' || relname
)
from unnest(array['users', 'sessions', 'signing_keys']) as relname;

set local role identity_service;

select throws_ok(
  $$update api.users set name = 'x'$$,
  '42501', 'permission denied for table users',
  'The sign-in service cannot change the name that a user has chosen'
);

-- Carol signs up, and signs in

insert into identity.users (id, email, name)
values (pg_temp.carol(), 'carol@example.com', 'Carol');

select is_empty(
  'select id from api.users where id = pg_temp.carol()',
  'An account that was never signed in to has no row in api.users'
);

insert into identity.sessions (user_id, token, expires_at)
values (pg_temp.carol(), 'first', now() + interval '1 day');

reset role;

select results_eq(
  'select email, name from api.users where id = pg_temp.carol()',
  $$values (null::text, 'Carol')$$,
  'The first sign-in makes the row of Carol, without an address that is not confirmed'
);

set local role identity_service;

update identity.users
set email_verified = true
where id = pg_temp.carol();

select results_eq(
  'select email from api.users where id = pg_temp.carol()',
  array['carol@example.com'],
  'A confirmed address arrives in api.users'
);

update identity.users
set email = 'carol@elsewhere.example', email_verified = false
where id = pg_temp.carol();

select results_eq(
  'select email from api.users where id = pg_temp.carol()',
  array['carol@example.com'],
  'An address that is not confirmed does not'
);

update identity.users
set email_verified = true
where id = pg_temp.carol();

select results_eq(
  'select id, email from api.users where email is not null order by email',
  $$
    values
      (alice(), 'alice@example.com'),
      (bob(), 'bob@example.com'),
      (pg_temp.carol(), 'carol@elsewhere.example')
  $$,
  'A changed address arrives in the row of Carol alone'
);

reset role;

update api.users
set name = 'Caro'
where id = pg_temp.carol();

set local role identity_service;

insert into identity.sessions (user_id, token, expires_at)
values (pg_temp.carol(), 'second', now() + interval '1 day');

reset role;

select results_eq(
  'select name from api.users where id = pg_temp.carol()',
  array['Caro'],
  'A later sign-in leaves the row as it is'
);

set local role identity_service;

insert into identity.users (id, email, name)
values ('da4e0000-0000-4000-8000-000000000000', 'dave@example.com', '   ');

insert into identity.sessions (user_id, token, expires_at)
values ('da4e0000-0000-4000-8000-000000000000', 'third', now() + interval '1 day');

reset role;

select results_eq(
  $$select name from api.users where id = 'da4e0000-0000-4000-8000-000000000000'$$,
  array[null::text],
  'A blank name makes a user without one'
);

-- What the tables themselves refuse

set local role identity_service;

select throws_constraint(
  statement,
  state, constraint_name,
  'An account cannot have ' || fault
)
from (
  values
    (
      $$insert into identity.users (email) values ('dave@example.com')$$,
      '23505', 'users_email_key', 'the address of another'
    ),
    (
      $$insert into identity.users (email) values ('Dave@example.com')$$,
      '23514', 'users_email_lower', 'an address with capitals, which could be that of another'
    ),
    (
      $$insert into identity.users (email) values ('no address')$$,
      '23514', 'users_email_form', 'what is no address'
    ),
    (
      format($f$insert into identity.users (email, name) values ('e@example.com', %L)$f$, repeat('x', 201)),
      '23514', 'users_name_length', 'a name that api.users refuses'
    )
) as attempt (statement, state, constraint_name, fault);

-- Carol deletes her account

delete from identity.users
where id = pg_temp.carol();

select is_empty('select token from identity.sessions where user_id = pg_temp.carol()', 'Carol is signed out');

reset role;

select is_empty(
  'select id from api.users where id = pg_temp.carol()',
  'With her account her row in api.users is gone'
);

select results_eq(
  'select name from api.users where email is not null order by name',
  array['Alice', 'Bob'],
  'And no row of another'
);

-- In one transaction: where the rows cannot be deleted, the account stays

create function pg_temp.refuse()
returns trigger
language plpgsql
as $$ begin raise exception 'refused'; end $$;

create trigger refuse
before delete on api.users
for each row
execute function pg_temp.refuse();

set local role identity_service;

select throws_ok(
  $$delete from identity.users where email = 'dave@example.com'$$,
  'P0001', 'refused',
  'The deletion of an account fails with that of the user''s rows'
);

select results_eq(
  $$select email from identity.users where email = 'dave@example.com'$$,
  array['dave@example.com'],
  'Then the account is still there'
);

-- Comments and indexes

reset role;

select is_empty(
  'select relname from identity_tables where obj_description(oid, $$pg_class$$) is null',
  'Every table says what it is for'
);

select is_empty(
  $$
    select conrelid::regclass, conname
    from pg_constraint
    where connamespace = 'identity'::regnamespace
    and contype = 'f'
    and not exists (
      select
      from pg_index
      where indrelid = conrelid and indkey[0] = conkey[1]
    )
  $$,
  'Every reference to an account has an index, so that its deletion finds what to delete'
);

select * from finish();
rollback;
