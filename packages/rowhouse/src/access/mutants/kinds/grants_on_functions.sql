with api_role (oid, name) as (
  select 0::oid, 'public'
  union all
  select oid, quote_ident(rolname)
  from pg_catalog.pg_roles
  where rolname = any (array(select unnest(roles) from api))
)
select
  function.oid,
  function.pronamespace as namespace,
  'extra grant on a function' as kind,
  function.oid::regprocedure::text as object,
  format('grant execute on routine %s to %s;', function.oid::regprocedure, api_role.name) as sql
from pg_catalog.pg_proc as function
cross join api_role
where not exists (
  select
  from aclexplode(coalesce(function.proacl, acldefault('f', function.proowner))) as held
  where held.grantee = api_role.oid
)
order by object, sql
