-- Privileges on what came with the server, schema public before all, where they are not as it makes
-- them: those that were given, and those that were taken away.
with object (oid, class, sub, owner, acl) as (
  select oid, 'pg_namespace'::regclass, 0, nspowner, nspacl
  from pg_catalog.pg_namespace
  where oid < 16384
  and nspacl is not null
  union all
  select oid, 'pg_class'::regclass, 0, relowner, relacl
  from pg_catalog.pg_class
  where oid < 16384
  and relacl is not null
  union all
  select attrelid, 'pg_class'::regclass, attnum, relowner, attacl
  from pg_catalog.pg_attribute
  join pg_catalog.pg_class on pg_class.oid = attrelid
  where attrelid < 16384
  and attacl is not null
  union all
  select oid, 'pg_proc'::regclass, 0, proowner, proacl
  from pg_catalog.pg_proc
  where oid < 16384
  and proacl is not null
  union all
  select oid, 'pg_type'::regclass, 0, typowner, typacl
  from pg_catalog.pg_type
  where oid < 16384
  and typacl is not null
  union all
  select oid, 'pg_language'::regclass, 0, lanowner, lanacl
  from pg_catalog.pg_language
  where oid < 16384
  and lanacl is not null
),
-- Without an entry it was PostgreSQL's own default.
initial as (
  select
    object.*,
    coalesce(
      initprivs,
      acldefault(
        (case class when 'pg_namespace'::regclass then 'n' when 'pg_class'::regclass then case sub when 0 then 'r' else 'c' end when 'pg_proc'::regclass then 'f' when 'pg_type'::regclass then 'T' else 'l' end)::"char",
        owner
      )
    ) as made
  from object
  left join pg_catalog.pg_init_privs on objoid = object.oid and classoid = object.class and objsubid = object.sub
),
change (oid, class, sub, grantee, privilege_type, is_grantable, taken) as (
  select oid, class, sub, given.grantee, given.privilege_type, given.is_grantable, false
  from initial
  cross join aclexplode(acl) as given
  where given.grantee <> owner
  and given.grantee not in (select oid from platform)
  and not exists (
    select
    from aclexplode(made) as old
    where (old.grantee, old.privilege_type, old.is_grantable) = (given.grantee, given.privilege_type, given.is_grantable)
  )
  union all
  select oid, class, sub, old.grantee, old.privilege_type, old.is_grantable, true
  from initial
  cross join aclexplode(made) as old
  -- What the owner had is the new owner's when it changes, as that of schema public does.
  where old.grantee <> old.grantor
  and not exists (
    select
    from aclexplode(acl) as given
    where (old.grantee, old.privilege_type) = (given.grantee, given.privilege_type)
  )
),
held as (
  select
    16384 as oid,
    taken,
    identified.type as "on",
    identified.identity as object,
    case grantee when 0 then 'public' else grantee::regrole::text end as role,
    lower(privilege_type) as privilege,
    is_grantable as grantable
  from change
  cross join pg_identify_object(class, change.oid, sub) as identified
  union all
  -- Languages, wrappers and servers that were made here; grants.sql has the rest.
  select
    object.oid,
    false,
    object.type,
    quote_ident(object.name),
    case acl.grantee when 0 then 'public' else acl.grantee::regrole::text end,
    lower(acl.privilege_type),
    acl.is_grantable
  from (
    select oid, 'language' as type, lanname as name, lanowner as owner, coalesce(lanacl, acldefault('l', lanowner)) as acl
    from pg_catalog.pg_language
    where oid >= 16384
    union all
    select oid, 'foreign data wrapper', fdwname, fdwowner, fdwacl
    from pg_catalog.pg_foreign_data_wrapper
    union all
    select oid, 'server', srvname, srvowner, srvacl
    from pg_catalog.pg_foreign_server
  ) as object
  cross join aclexplode(object.acl) as acl
  where acl.grantee <> object.owner
)
select
  oid,
  case when taken then 'revoke' else 'grant' end as kind,
  format('%s %s %s %s', "on", object, case when taken then 'from' else 'to' end, role) as name,
  to_jsonb(held) - 'oid' - 'taken' as facts
from held
