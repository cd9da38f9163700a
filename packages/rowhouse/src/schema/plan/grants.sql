-- What roles other than the owner may do, in the parts of a GRANT statement.
with object (type, name, part, owner, acl) as (
  select 'schema', quote_ident(nspname), null::text, nspowner, coalesce(nspacl, acldefault('n', nspowner))
  from pg_catalog.pg_namespace
  where nspname !~ '^pg_'
  and nspname <> 'information_schema'
  union all
  select
    case relkind when 'S' then 'sequence' else 'table' end,
    pg_class.oid::regclass::text,
    null,
    relowner,
    coalesce(relacl, acldefault(case relkind when 'S' then 's' else 'r' end::"char", relowner))
  from pg_catalog.pg_class
  where relkind in ('r', 'p', 'f', 'S', 'v', 'm')
  and pg_class.oid >= 16384
  union all
  select 'table', attrelid::regclass::text, quote_ident(attname), relowner, attacl
  from pg_catalog.pg_attribute
  join pg_catalog.pg_class on pg_class.oid = attrelid
  where attacl is not null
  and not attisdropped
  and attrelid >= 16384
  union all
  select
    case prokind when 'p' then 'procedure' else 'function' end,
    oid::regprocedure::text,
    null,
    proowner,
    coalesce(proacl, acldefault('f', proowner))
  from pg_catalog.pg_proc
  where oid >= 16384
  union all
  select 'type', oid::regtype::text, null, typowner, coalesce(typacl, acldefault('T', typowner))
  from pg_catalog.pg_type
  where typtype in ('d', 'e', 'r')
  and oid >= 16384
)
select
  object.type,
  object.name,
  object.part as column,
  case acl.grantee when 0 then 'public' else acl.grantee::regrole::text end as role,
  lower(acl.privilege_type) as privilege,
  acl.is_grantable as grantable
from object
cross join aclexplode(object.acl) as acl
where acl.grantee <> object.owner
