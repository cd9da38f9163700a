-- Whom PostgREST serves, and where the users are, as one row: see api-names.ts. $1 is the anonymous role,
-- $2 the table of the users where the project names one.
with recursive
-- Who can become whom by SET ROLE. Before PostgreSQL 16 each member can.
reach (login, role) as (
  select oid, oid
  from pg_catalog.pg_roles
  where rolcanlogin
  and not rolsuper
  union
  select reach.login, membership.roleid
  from reach
  join pg_catalog.pg_auth_members as membership on membership.member = reach.role
  where coalesce((to_jsonb(membership) ->> 'set_option')::boolean, true)
),
-- The roles that a grant or a policy in this database names.
used as (
  select distinct refobjid as oid
  from pg_catalog.pg_shdepend
  where dbid = (select oid from pg_catalog.pg_database where datname = current_database())
  and refclassid = 'pg_catalog.pg_authid'::regclass
  and deptype in ('a', 'r')
),
-- Those that PostgREST can log in as. A role that inherits is a person's, or a server's own.
candidate as (
  select
    role.oid,
    role.rolname,
    role.rolinherit,
    exists (
      select
      from reach
      join used on used.oid = reach.role
      where reach.login = role.oid
    ) as is_used
  from pg_catalog.pg_roles as role
  where has_database_privilege(role.oid, current_database(), 'connect')
  and exists (
    select
    from reach
    join pg_catalog.pg_roles as reached on reached.oid = reach.role
    where reach.login = role.oid
    and reach.role <> role.oid
    and case
      when $1::text is null then not reached.rolcanlogin and not role.rolinherit
      else reached.rolname = $1
    end
  )
),
-- One that can become another of them is above it, as a service of the platform can be. Other projects on the
-- server have logins, too, which mean nothing to this database.
login as (
  select
    candidate.oid,
    candidate.rolname
  from candidate
  where (not candidate.rolinherit or not exists (select from candidate as other where not other.rolinherit))
  and ($1::text is not null or candidate.is_used or not exists (select from candidate where is_used))
  and not exists (
    select
    from reach
    join candidate as other on other.oid = reach.role
    where reach.login = candidate.oid
    and other.oid <> candidate.oid
  )
),
-- Those that row-level security holds come before those that it does not.
role as (
  select
    rolname as name,
    rolname is distinct from $1 as has_token,
    rolsuper or rolbypassrls as bypasses
  from pg_catalog.pg_roles
  where rolname = $1
  or oid in (
    select reach.role
    from reach
    join login on login.oid = reach.login
    where reach.role not in (select oid from login)
  )
  -- No role is known to log in: the usual name of a user's.
  or rolname = 'authenticated' and not exists (select from login)
),
-- From the catalog: to_regclass() wants USAGE on the schema.
users_table as (
  select
    class.oid,
    namespace.nspname as schema,
    class.relname as name
  from (
    values
      (1, coalesce($2, array['api', 'users'])),
      (2, case when $2::text[] is null then array['auth', 'users'] end)
  ) as wanted (position, parts)
  join pg_catalog.pg_namespace as namespace on namespace.nspname = wanted.parts[1]
  join pg_catalog.pg_class as class
    on class.relnamespace = namespace.oid
    and class.relname = wanted.parts[2]
  where cardinality(wanted.parts) = 2
  and class.relkind in ('r', 'p', 'v', 'm', 'f')
  and (
    wanted.position = 1
    or exists (
      select
      from pg_catalog.pg_constraint as fkey
      where fkey.contype = 'f'
      and fkey.confrelid = class.oid
      and fkey.connamespace <> namespace.oid
    )
    -- Many keep a copy in a table of their own, and point at that: their policies ask auth.uid().
    or exists (
      select
      from pg_catalog.pg_depend as reference
      join pg_catalog.pg_proc as function on function.oid = reference.refobjid
      where reference.classid = 'pg_catalog.pg_policy'::regclass
      and reference.refclassid = 'pg_catalog.pg_proc'::regclass
      and function.pronamespace = namespace.oid
      and function.proname = 'uid'
    )
  )
  order by wanted.position
  limit 1
),
-- The column that identifies a user: the primary key where it is one column, else "id".
users_id as (
  select attribute.attname as name
  from users_table
  join pg_catalog.pg_attribute as attribute on attribute.attrelid = users_table.oid
  left join pg_catalog.pg_constraint as pkey
    on pkey.conrelid = users_table.oid
    and pkey.contype = 'p'
    and pkey.conkey = array[attribute.attnum]
  where pkey.oid is not null
  or attribute.attname = 'id' and not attribute.attisdropped
  order by pkey.oid is null
  limit 1
),
users_column as (
  select attribute.attname as name
  from users_table
  join pg_catalog.pg_attribute as attribute on attribute.attrelid = users_table.oid
  where not attribute.attisdropped
  and (
    attribute.attname = 'email'
    or attribute.attname = 'created_at'
    and attribute.atttypid in ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype)
  )
)
select
  array(select rolname::text from login order by rolname) as logins,
  array(select name::text from role order by has_token, bypasses, name) as roles,
  (
    select name::text
    from role
    where has_token
    order by name <> 'authenticated', bypasses, name
    limit 1
  ) as user,
  (select format('%I.%I', schema, name) from users_table) as users_table,
  (
    select
      format(
        'select %I::text as id, %s::text as email, %s::timestamptz as created, null::jsonb as claims from %I.%I',
        users_id.name,
        coalesce((select name from users_column where name = 'email'), 'null'),
        coalesce((select name from users_column where name = 'created_at'), 'null'),
        users_table.schema,
        users_table.name
      )
    from users_table
    cross join users_id
  ) as users
