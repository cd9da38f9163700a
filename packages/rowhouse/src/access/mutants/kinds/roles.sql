-- What the roles of the API are. Roles belong to the server and not to one database, so each of
-- these is taken back afterwards.
with api_role (name) as (
  select rolname
  from pg_catalog.pg_roles
  where rolname = any (array(select unnest(roles || logins) from api))
)
select
  null::oid as oid,
  null::oid as namespace,
  'stronger role' as kind,
  api_role.name::text as object,
  format('alter role %I %s;', api_role.name, attribute.name) as sql,
  format('alter role %I no%s;', api_role.name, attribute.name) as undo
from api_role
join pg_catalog.pg_roles as role on role.rolname = api_role.name
cross join lateral (
  values
    ('bypassrls', role.rolbypassrls),
    ('superuser', role.rolsuper),
    ('createrole', role.rolcreaterole)
) as attribute (name, is_held)
where not attribute.is_held
union all
select
  null,
  null,
  'stronger role',
  api_role.name,
  format('grant %I to %I;', more.name, api_role.name),
  format('revoke %I from %I;', more.name, api_role.name)
from api_role
cross join (
  select name
  from api
  cross join unnest(roles) as name
  where name is distinct from anonymous
  union all
  select 'pg_read_all_data'
) as more (name)
where more.name <> api_role.name
and not pg_has_role(api_role.name, more.name, 'member')
order by object, sql
