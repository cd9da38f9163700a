select
  format('%I.%I', schemaname, sequencename) as name,
  last_value::text as value
from pg_catalog.pg_sequences
order by name
