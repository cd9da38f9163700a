-- What is granted on what a role creates, the role itself included. Those of a schema come on top
-- of those of every schema, for which no entry means the built-in ones (acldefault). $1 is the role
-- that runs the migrations: see owner.sql. What it grants to itself goes without its name, which is another
-- one on another server.
with owner (oid) as (
  select quote_ident($1)::regrole
), kind (objects, letter) as (
  values ('tables', 'r'::"char"), ('sequences', 'S'), ('functions', 'f'), ('types', 'T'), ('schemas', 'n')
), granted (role, objects, schema, changed, acl) as (
  select
    role.oid,
    kind.objects,
    null::text,
    entry.oid is not null,
    coalesce(
      entry.defaclacl,
      acldefault(case kind.letter when 'S' then 's' else kind.letter end, role.oid)
    )
  from pg_catalog.pg_roles as role
  cross join kind
  left join pg_catalog.pg_default_acl as entry
    on entry.defaclrole = role.oid
    and entry.defaclnamespace = 0
    and entry.defaclobjtype = kind.letter
  where role.rolname !~ '^pg_'
  union all
  select entry.defaclrole, kind.objects, quote_ident(nspname), true, entry.defaclacl
  from kind
  join pg_catalog.pg_default_acl as entry on entry.defaclobjtype = kind.letter
  join pg_catalog.pg_namespace on pg_namespace.oid = entry.defaclnamespace
)
select
  case when granted.role <> owner.oid then granted.role::regrole::text end as creator,
  granted.objects,
  granted.schema,
  granted.changed,
  case
    when acl.grantee = 0 then 'public'
    when acl.grantee = granted.role and granted.role = owner.oid then 'current_user'
    else acl.grantee::regrole::text
  end as role,
  lower(acl.privilege_type) as privilege,
  acl.is_grantable as grantable,
  acl.grantee = granted.role as own
from granted
cross join owner
cross join aclexplode(granted.acl) as acl
-- What an owner may by itself: PostgreSQL 15 and 16 do not know it.
where not (acl.grantee = granted.role and acl.privilege_type = 'MAINTAIN')
