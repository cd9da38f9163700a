-- The login roles that have settings of PostgREST, the likeliest first: those that can become $1, then those whose
-- schemas are in this database.
with given (role, name, value) as (
  select setrole, split_part(entry, '=', 1), substr(entry, strpos(entry, '=') + 1)
  from pg_catalog.pg_db_role_setting
  cross join unnest(setconfig) as entry
  where entry like 'pgrst.%'
  and setdatabase in (0, (select oid from pg_catalog.pg_database where datname = current_database()))
)
select
  rolname as name,
  (select string_agg(distinct format('%s=%s', name, value), ', ') from given where role = pg_roles.oid) as settings
from pg_catalog.pg_roles
where rolcanlogin
and oid in (select role from given)
order by
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
