-- Not-null constraints (contype n) are in the catalog from PostgreSQL 18 on; columns.sql tells them.
select
  oid,
  'constraint' as kind,
  format('%I on %s', conname, case when conrelid <> 0 then conrelid::regclass::text else contypid::regtype::text end) as name,
  pg_get_constraintdef(oid) as definition
from pg_catalog.pg_constraint
where contype in ('c', 'f', 'p', 'u', 'x')
