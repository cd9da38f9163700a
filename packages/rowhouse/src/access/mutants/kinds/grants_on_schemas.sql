with api_role (oid, name) as (
  select 0::oid, 'public'
  union all
  select oid, quote_ident(rolname)
  from pg_catalog.pg_roles
  where rolname = any (array(select unnest(roles) from api))
)
select
  namespace.oid,
  namespace.oid as namespace,
  'extra grant on a schema' as kind,
  namespace.oid::regnamespace::text as object,
  format('grant %s on schema %s to %s;', verb.name, namespace.oid::regnamespace, api_role.name) as sql
from pg_catalog.pg_namespace as namespace
cross join api_role
cross join (values ('usage'), ('create')) as verb (name)
where not exists (
  select
  from aclexplode(namespace.nspacl) as held
  where held.grantee = api_role.oid
  and lower(held.privilege_type) = verb.name
)
order by object, sql
