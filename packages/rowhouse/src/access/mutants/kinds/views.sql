-- A view that does not ask as its reader looks past the policies.
select
  class.oid,
  class.relnamespace as namespace,
  'view of its owner' as kind,
  class.oid::regclass::text as object,
  format('alter view %s reset (security_invoker);', class.oid::regclass) as sql
from pg_catalog.pg_class as class
cross join unnest(class.reloptions) as option
where class.relkind = 'v'
and option in ('security_invoker=true', 'security_invoker=on', 'security_invoker=1')
order by object
