select
  objoid as oid,
  'comment' as kind,
  (select type || ' ' || identity from pg_identify_object(classoid, objoid, objsubid)) as name,
  description as definition
from pg_catalog.pg_description
where objoid >= 16384
union all
select 16384, 'comment', 'schema public', description
from pg_catalog.pg_description
where classoid = 'pg_namespace'::regclass
and objoid = 'public'::regnamespace
and description <> 'standard public schema'
