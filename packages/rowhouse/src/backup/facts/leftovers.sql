-- The objects that were created in a database: an empty one has nothing of it.
select count(*)::int as count
from (
  select oid, 'pg_catalog.pg_class'::regclass as class from pg_catalog.pg_class where relnamespace <> 'pg_toast'::regnamespace
  union all
  select oid, 'pg_catalog.pg_proc'::regclass from pg_catalog.pg_proc
  union all
  select oid, 'pg_catalog.pg_namespace'::regclass from pg_catalog.pg_namespace where nspname !~ '^pg_'
) as object
where oid >= 16384
and not exists (
  select from pg_catalog.pg_depend as member
  where member.classid = object.class
  and member.objid = object.oid
  and member.deptype = 'e'
)
