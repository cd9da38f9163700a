select
  r.oid::integer,
  r.oid::regclass::text as table,
  l.mode
from pg_catalog.pg_locks l
join pg_catalog.pg_class r on r.oid = l.relation
join pg_catalog.pg_namespace n on n.oid = r.relnamespace
where l.pid = pg_backend_pid()
and l.granted
and r.relkind in ('r', 'p', 'v', 'm', 'f')
and n.nspname !~ '^pg_'
and n.nspname <> 'information_schema'
order by 2, 3
