select
  objoid as oid,
  'comment' as kind,
  (select type || ' ' || identity from pg_identify_object(classoid, objoid, objsubid)) as name,
  description as definition
from pg_catalog.pg_description
where objoid >= 16384
