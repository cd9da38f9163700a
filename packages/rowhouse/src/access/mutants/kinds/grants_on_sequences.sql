-- Each privilege on a sequence, to each role that lacks it: to draw numbers, to see how many were
-- drawn, and to set them back.
with api_role (oid, name) as (
  select 0::oid, 'public'
  union all
  select oid, quote_ident(rolname)
  from pg_catalog.pg_roles
  where rolname = any (array(select unnest(roles) from api))
)
select
  class.oid,
  class.relnamespace as namespace,
  'extra grant on a sequence' as kind,
  class.oid::regclass::text as object,
  format('grant %s on sequence %s to %s;', lower(privilege.privilege_type), class.oid::regclass, api_role.name) as sql
from pg_catalog.pg_class as class
cross join api_role
cross join aclexplode(acldefault('s', class.relowner)) as privilege
where class.relkind = 'S'
and not exists (
  select
  from aclexplode(class.relacl) as held
  where held.grantee = api_role.oid
  and held.privilege_type = privilege.privilege_type
)
order by object, sql
