-- What the role that PostgREST logs in as is given by settings of its own, in this database or in all;
-- PostgREST lets these win over its file. Of several such roles, the one that can become $1.
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
login as (
  select role.oid
  from pg_catalog.pg_roles as role
  where role.rolcanlogin
  and role.oid in (select role from given)
  order by
    coalesce(pg_has_role(role.oid, to_regrole(quote_ident($1)), 'member'), false) desc,
    role.rolname
  limit 1
)
select distinct on (given.name)
  replace(given.name, 'pgrst.', '') as name,
  given.value
from given
join login on login.oid = given.role
order by given.name, given.database desc
