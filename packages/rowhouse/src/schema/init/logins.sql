-- The login roles that have settings of PostgREST for this database, the likeliest first: those with settings for
-- this one alone, then those that can become $1, then those whose schemas are in it. Roles belong to the server: the
-- logins of other projects cannot connect here, or become neither $1 nor, without $1, a role that a grant or a policy
-- of this database names.
with database (oid) as (
  select oid
  from pg_catalog.pg_database
  where datname = current_database()
),
given (role, is_here, name, value) as (
  select setrole, setdatabase <> 0, split_part(entry, '=', 1), substr(entry, strpos(entry, '=') + 1)
  from pg_catalog.pg_db_role_setting
  cross join unnest(setconfig) as entry
  where entry like 'pgrst.%'
  and (setdatabase = 0 or setdatabase in (select oid from database))
),
reachable (oid) as (
  select oid
  from pg_catalog.pg_roles
  where rolname = $1
  union
  select refobjid
  from pg_catalog.pg_shdepend
  where $1::text is null
  and dbid in (select oid from database)
  and refclassid = 'pg_catalog.pg_authid'::regclass
  and deptype in ('a', 'r')
)
select
  rolname as name,
  (select string_agg(distinct format('%s=%s', name, value), ', ') from given where role = pg_roles.oid) as settings
from pg_catalog.pg_roles
where rolcanlogin
and oid in (select role from given)
and has_database_privilege(oid, current_database(), 'connect')
and (
  oid in (select role from given where is_here)
  or exists (select from reachable where pg_has_role(pg_roles.oid, reachable.oid, 'member'))
)
order by
  oid in (select role from given where is_here) desc,
  coalesce(pg_has_role(oid, to_regrole(quote_ident($1)), 'member'), false) desc,
  exists (
    select
    from given
    cross join string_to_table(value, ',') as schema
    where role = pg_roles.oid
    and name in ('pgrst.db_schemas', 'pgrst.db_schema')
    having bool_and(btrim(schema) in (select nspname from pg_catalog.pg_namespace))
  ) desc,
  rolname
