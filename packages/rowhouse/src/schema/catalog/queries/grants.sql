-- What roles other than the owner may do. No ACL means the built-in one (acldefault), which gives
-- PUBLIC the execution of functions and the use of types. What came with the server is left out at
-- once: the caller does so, too, but late.
with object (oid, class, sub, owner, acl) as (
  select oid, 'pg_namespace'::regclass, 0, nspowner, coalesce(nspacl, acldefault('n', nspowner))
  from pg_catalog.pg_namespace
  where oid >= 16384
  union all
  select oid, 'pg_class'::regclass, 0, relowner, coalesce(relacl, acldefault(case relkind when 'S' then 's' else 'r' end::"char", relowner))
  from pg_catalog.pg_class
  where oid >= 16384
  and relkind in ('r', 'p', 'f', 'S', 'v', 'm')
  union all
  select attrelid, 'pg_class'::regclass, attnum, relowner, attacl
  from pg_catalog.pg_attribute
  join pg_catalog.pg_class on pg_class.oid = attrelid
  where attrelid >= 16384
  and attacl is not null
  and not attisdropped
  union all
  select oid, 'pg_proc'::regclass, 0, proowner, coalesce(proacl, acldefault('f', proowner))
  from pg_catalog.pg_proc
  where oid >= 16384
  union all
  select oid, 'pg_type'::regclass, 0, typowner, coalesce(typacl, acldefault('T', typowner))
  from pg_catalog.pg_type
  where oid >= 16384
  and typtype in ('d', 'e', 'r')
)
select
  object.oid,
  'grant' as kind,
  format(
    '%s to %s',
    (select type || ' ' || identity from pg_identify_object(object.class, object.oid, object.sub)),
    case acl.grantee when 0 then 'public' else acl.grantee::regrole::text end
  ) as name,
  lower(acl.privilege_type) || case when acl.is_grantable then ' with grant option' else '' end as definition
from object
cross join aclexplode(object.acl) as acl
where acl.grantee <> object.owner
union all
-- The database itself goes without its name, so that two databases can be compared.
select
  16384,
  'grant',
  format('database to %s', case acl.grantee when 0 then 'public' else acl.grantee::regrole::text end),
  lower(acl.privilege_type)
from pg_catalog.pg_database
cross join aclexplode(coalesce(datacl, acldefault('d', datdba))) as acl
where datname = current_database()
and acl.grantee <> datdba
