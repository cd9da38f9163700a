-- Each privilege on a whole table, to each role that lacks it. The server knows which there are.
-- No role gets the schema along: then the tests of the schema would notice, and those of the
-- table would not have to.
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
  'extra grant on a table' as kind,
  class.oid::regclass::text as object,
  format('grant %s on %s to %s;', lower(privilege.privilege_type), class.oid::regclass, api_role.name) as sql
from pg_catalog.pg_class as class
cross join api_role
cross join aclexplode(acldefault('r', class.relowner)) as privilege
where class.relkind in ('r', 'p', 'f', 'v', 'm')
and not exists (
  select
  from aclexplode(class.relacl) as held
  where held.grantee = api_role.oid
  and held.privilege_type = privilege.privilege_type
)
order by object, sql
