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
),
held as (
  select
    object.oid,
    identified.type as "on",
    identified.identity as object,
    case acl.grantee when 0 then 'public' else acl.grantee::regrole::text end as role,
    lower(acl.privilege_type) as privilege,
    acl.is_grantable as grantable
  from object
  cross join aclexplode(object.acl) as acl
  cross join pg_identify_object(object.class, object.oid, object.sub) as identified
  where acl.grantee <> object.owner
  and acl.grantee not in (select oid from platform)
  union all
  -- The database itself goes without its name, so that two databases can be compared.
  select
    16384,
    'database',
    null,
    case acl.grantee when 0 then 'public' else acl.grantee::regrole::text end,
    lower(acl.privilege_type),
    false
  from pg_catalog.pg_database
  cross join aclexplode(coalesce(datacl, acldefault('d', datdba))) as acl
  where datname = current_database()
  and acl.grantee <> datdba
  and acl.grantee not in (select oid from platform)
)
select
  oid,
  'grant' as kind,
  format('%s to %s', concat_ws(' ', "on", object), role) as name,
  to_jsonb(held) - 'oid' as facts
from held
