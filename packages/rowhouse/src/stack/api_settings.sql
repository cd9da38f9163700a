-- What the role that PostgREST logs in as is given by settings of its own, in this database or in all;
-- PostgREST lets these win over its file. Of several such roles, the one called $2, or one that can become $1;
-- where another role can, which has no settings, none.
with given as (
  select
    setting.setrole as role,
    setting.setdatabase as database,
    split_part(entry, '=', 1) as name,
    substr(entry, strpos(entry, '=') + 1) as value
  from pg_catalog.pg_db_role_setting as setting
  cross join unnest(setting.setconfig) as entry
  where entry like 'pgrst.%'
  and setting.setdatabase in (
    0,
    (select oid from pg_catalog.pg_database where datname = current_database())
  )
),
able as (
  select oid
  from pg_catalog.pg_roles
  where rolcanlogin
  and pg_has_role(oid, to_regrole(quote_ident($1)), 'member')
),
login as (
  select role.oid
  from pg_catalog.pg_roles as role
  where role.rolcanlogin
  and role.oid in (select role from given)
  and role.rolname = coalesce($2, role.rolname)
  and (
    $2 is not null
    or role.oid in (select oid from able)
    or not exists (select from able join pg_catalog.pg_roles on pg_roles.oid = able.oid where not rolsuper)
  )
  order by
    role.oid in (select oid from able) desc,
    role.rolname
  limit 1
)
select distinct on (given.name)
  replace(given.name, 'pgrst.', '') as name,
  given.value
from given
join login on login.oid = given.role
order by given.name, given.database desc
