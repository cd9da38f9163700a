-- Privileges on settings of the server: see roles.sql.
with recursive api_role (oid) as (
  select oid
  from api_login
  union
  select member.roleid
  from pg_catalog.pg_auth_members as member
  join api_role on api_role.oid = member.member
),
held as (
  select
    'parameter' as "on",
    parname as object,
    case grantee when 0 then 'public' else grantee::regrole::text end as role,
    lower(privilege_type) as privilege,
    is_grantable as grantable
  from pg_catalog.pg_parameter_acl
  cross join aclexplode(paracl) as acl
  where grantee = 0
  or grantee in (select oid from api_role)
)
select
  16384 as oid,
  'grant' as kind,
  format('parameter %s to %s', object, role) as name,
  to_jsonb(held) as facts
from held
