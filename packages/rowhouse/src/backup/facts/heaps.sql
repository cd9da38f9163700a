-- Rows that are no rows: a damaged page that its checksum does not give away.
select
  format('%s: %s', class.oid::regclass, fault.msg) as fault
from pg_catalog.pg_class as class
cross join lateral verify_heapam(class.oid, check_toast => true) as fault
where class.relkind in ('r', 't', 'm')
and class.relpersistence = 'p'
