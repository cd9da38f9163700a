-- What the rules need beside the names of the API, as oids: see names.ts. Takes the schemas, the anonymous
-- role, the user's role, all roles, the logins, the table of the users, the pre-request function, and the
-- schemas of the platform.
with schema (oid) as (
  select oid
  from pg_catalog.pg_namespace
  where nspname = any ($1::text[])
),
exposed (oid) as (
  select class.oid
  from pg_catalog.pg_class as class
  join schema on schema.oid = class.relnamespace
  where class.relkind in ('r', 'p')
),
role (oid, name, is_held) as (
  select
    oid,
    rolname::text,
    -- Policies do not hold the other ones: the rule role_powers names these.
    not (rolsuper or rolbypassrls or oid < 16384)
  from pg_catalog.pg_roles
  where rolname = any ($4::text[] || $2::text || $3::text)
),
-- Others have a request.user_id(), too: PostgREST's starter kit does.
conventions (follow) as (
  select
    to_regprocedure('request.user_id()') is not null
    and to_regprocedure('request.plannable()') is not null
),
called (oid) as (
  select reference.refobjid
  from pg_catalog.pg_policy as policy
  join pg_catalog.pg_depend as reference
    on reference.classid = 'pg_catalog.pg_policy'::regclass
    and reference.objid = policy.oid
    and reference.refclassid = 'pg_catalog.pg_proc'::regclass
  where policy.polrelid in (select oid from exposed)
  union
  select trigger.tgfoid
  from pg_catalog.pg_trigger as trigger
  where trigger.tgrelid in (select oid from exposed)
  and not trigger.tgisinternal
  union
  select function.oid
  from pg_catalog.pg_proc as function
  where function.pronamespace::regnamespace || '.' || quote_ident(function.proname) = $7::text
),
helper (oid) as (
  select namespace.oid
  from pg_catalog.pg_namespace as namespace
  where namespace.nspname in ('request', 'private')
  and (select follow from conventions)
  union
  select namespace.oid
  from called
  join pg_catalog.pg_proc as function on function.oid = called.oid
  join pg_catalog.pg_namespace as namespace on namespace.oid = function.pronamespace
  -- What the platform has, no project can change.
  where namespace.nspname <> 'pg_catalog'
  and namespace.nspname <> all ($8::text[])
),
-- A column user_id says whose a row is; where there is none, a foreign key to the users does.
owned (relation, owner_column) as (
  select distinct on (exposed.oid) exposed.oid, attribute.attnum
  from exposed
  join pg_catalog.pg_attribute as attribute on attribute.attrelid = exposed.oid
  where not attribute.attisdropped
  and (
    attribute.attname = 'user_id'
    or (
      not (select follow from conventions)
      and exists (
        select
        from pg_catalog.pg_constraint as fkey
        join pg_catalog.pg_class as users on users.oid = fkey.confrelid
        join pg_catalog.pg_namespace as namespace on namespace.oid = users.relnamespace
        where fkey.contype = 'f'
        and fkey.conrelid = exposed.oid
        and fkey.conkey = array[attribute.attnum]
        and format('%I.%I', namespace.nspname, users.relname) = $6::text
      )
    )
  )
  order by exposed.oid, attribute.attname <> 'user_id', attribute.attnum
)
select json_build_object(
  'schemas', array(select oid::bigint from schema),
  'helpers', array(select oid::bigint from helper except select oid::bigint from schema),
  'anonymous', (select oid::bigint from role where name = $2::text),
  'user', (select oid::bigint from role where name = $3::text),
  'roles', array(select oid::bigint from role where is_held order by name),
  'all_roles', array(select oid::bigint from role order by name),
  'logins', array(select oid::bigint from pg_catalog.pg_roles where rolname = any ($5::text[])),
  'follows_conventions', (select follow from conventions),
  'owned_tables', array(select relation::bigint from owned order by relation),
  'owner_columns', array(select owner_column from owned order by relation)
) as names
