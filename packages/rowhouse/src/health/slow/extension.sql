-- The schema of pg_stat_statements, when this database has it.
select n.nspname as schema
from pg_catalog.pg_extension as e
join pg_catalog.pg_namespace as n on n.oid = e.extnamespace
where e.extname = 'pg_stat_statements'
