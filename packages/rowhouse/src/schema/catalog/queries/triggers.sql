select
  oid,
  'trigger' as kind,
  format('%I on %s', tgname, tgrelid::regclass) as name,
  pg_get_triggerdef(oid) || case tgenabled when 'O' then '' else ' enabled ' || tgenabled::text end as definition
from pg_catalog.pg_trigger
where not tgisinternal
