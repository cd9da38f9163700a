select
  trigger.oid,
  class.relnamespace as namespace,
  'trigger off' as kind,
  format('%I on %s', trigger.tgname, class.oid::regclass) as object,
  format('alter table %s disable trigger %I;', class.oid::regclass, trigger.tgname) as sql
from pg_catalog.pg_trigger as trigger
join pg_catalog.pg_class as class on class.oid = trigger.tgrelid
where not trigger.tgisinternal
and trigger.tgparentid = 0
and trigger.tgenabled <> 'D'
order by object
