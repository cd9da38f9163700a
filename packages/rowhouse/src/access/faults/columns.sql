-- Columns of the API that a role may not use beside others that it may. Without select, select=*
-- and the answer to a write are 403 for the whole table; without insert, so is every insert where
-- nothing but the request can give the column a value.
--
-- The exposed schemas are $1. Only the roles that requests can have ($2), with those that they are
-- members of, count: the sign-in service names its columns.
with recursive api_role (oid) as (
  select oid
  from pg_catalog.pg_roles
  where rolname = any ($2::text[])
  union
  select member.roleid
  from pg_catalog.pg_auth_members as member
  join api_role on api_role.oid = member.member
),
granted (relation, role, privilege, columns) as (
  select class.oid, acl.grantee, acl.privilege_type, array_agg(attribute.attnum)
  from pg_catalog.pg_class as class
  join pg_catalog.pg_attribute as attribute on attribute.attrelid = class.oid
  join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
  cross join aclexplode(attribute.attacl) as acl
  where namespace.nspname = any ($1::text[])
  and class.relkind in ('r', 'p', 'v', 'm', 'f')
  and attribute.attnum > 0
  and not attribute.attisdropped
  and acl.privilege_type in ('SELECT', 'INSERT')
  and (acl.grantee = 0 or acl.grantee in (select oid from api_role))
  group by class.oid, acl.grantee, acl.privilege_type
)
select
  format('%s.%I', granted.relation::regclass, attribute.attname) as object,
  lower(granted.privilege) as verb,
  case granted.role when 0 then 'PUBLIC' else granted.role::regrole::text end as role,
  format(
    'grant %s (%I) on %s to %s;',
    lower(granted.privilege),
    attribute.attname,
    granted.relation::regclass,
    case granted.role when 0 then 'public' else granted.role::regrole::text end
  ) as remedy
from granted
join pg_catalog.pg_attribute as attribute on attribute.attrelid = granted.relation
join pg_catalog.pg_type as type on type.oid = attribute.atttypid
where attribute.attnum > 0
and not attribute.attisdropped
and not case granted.role
  when 0 then attribute.attnum = any(granted.columns)
  else has_column_privilege(granted.role, granted.relation, attribute.attnum, granted.privilege)
end
and (
  granted.privilege = 'SELECT'
  or (
    attribute.attnotnull
    and not attribute.atthasdef
    and attribute.attidentity = ''
    and type.typdefault is null
    -- A trigger before the insert may fill it.
    and not exists (
      select
      from pg_catalog.pg_trigger as trigger
      where trigger.tgrelid = granted.relation
      and trigger.tgtype & 7 = 7
      and trigger.tgenabled <> 'D'
    )
  )
)
order by 1, 2, 3
