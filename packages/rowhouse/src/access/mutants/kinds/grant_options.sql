-- Each privilege that a role holds, with leave to hand it on.
with held (table_oid, grantee, privilege, is_grantable, number, column_name) as (
  select class.oid, acl.grantee, lower(acl.privilege_type), acl.is_grantable, null::int2, null::name
  from pg_catalog.pg_class as class
  cross join aclexplode(class.relacl) as acl
  union all
  select attribute.attrelid, acl.grantee, lower(acl.privilege_type), acl.is_grantable, attribute.attnum, attribute.attname
  from pg_catalog.pg_attribute as attribute
  cross join aclexplode(attribute.attacl) as acl
)
select
  class.oid,
  class.relnamespace as namespace,
  'grant option' as kind,
  class.oid::regclass::text as object,
  format(
    e'grant %s%s on %s%s to %I\nwith grant option;',
    held.privilege,
    ' (' || string_agg(quote_ident(held.column_name), ', ' order by held.number) || ')',
    case class.relkind when 'S' then 'sequence ' end,
    class.oid::regclass,
    api_role.rolname
  ) as sql
from held
join pg_catalog.pg_class as class on class.oid = held.table_oid
-- Without public: PostgreSQL knows no grant option for everyone.
join pg_catalog.pg_roles as api_role on api_role.oid = held.grantee
where class.relkind in ('r', 'p', 'f', 'v', 'm', 'S')
and held.grantee <> class.relowner
and not held.is_grantable
group by class.oid, class.relnamespace, class.relkind, api_role.rolname, held.privilege, held.column_name is null
order by object, sql
