-- why: The planner estimates from the rows of all users, and PostgREST returns the estimate to any
--   caller (docs/adr/0005).
-- do: alter table ... alter column ... set statistics 0; likewise alter index, alter statistics.
with owned as (
  select attribute.attrelid as relation
  from pg_catalog.pg_attribute as attribute
  join pg_catalog.pg_class as class on class.oid = attribute.attrelid
  where class.relnamespace = 'api'::regnamespace
  and class.relkind in ('r', 'p')
  and attribute.attname = 'user_id'
  and not attribute.attisdropped
  union
  -- What users share: a membership table, with the key (group, user_id), refers to it.
  select fkey.confrelid
  from pg_catalog.pg_constraint as fkey
  join pg_catalog.pg_constraint as pkey on pkey.conrelid = fkey.conrelid
  join pg_catalog.pg_attribute as attribute on attribute.attrelid = fkey.conrelid
  where fkey.connamespace = 'api'::regnamespace
  and fkey.contype = 'f'
  and pkey.contype = 'p'
  and attribute.attname = 'user_id'
  and fkey.confrelid is distinct from to_regclass('api.users')
  and attribute.attnum <> all (fkey.conkey)
  and pkey.conkey <@ (fkey.conkey || attribute.attnum)
  and pkey.conkey @> (fkey.conkey || attribute.attnum)
)
select
  format('%s.%I', owned.relation::regclass, attribute.attname) as object,
  'the column keeps statistics' as finding
from owned
join pg_catalog.pg_attribute as attribute on attribute.attrelid = owned.relation
where attribute.attnum > 0
and not attribute.attisdropped
-- The default is null from PostgreSQL 17 on, and -1 before.
and coalesce(attribute.attstattarget, -1) <> 0
union all
select
  index.indexrelid::regclass::text,
  'the index keeps statistics of an expression'
from owned
join pg_catalog.pg_index as index on index.indrelid = owned.relation
join pg_catalog.pg_attribute as attribute on attribute.attrelid = index.indexrelid
where index.indkey[attribute.attnum - 1] = 0
and coalesce(attribute.attstattarget, -1) <> 0
union all
select
  format('%s.%I', extended.stxnamespace::regnamespace, extended.stxname),
  format('it keeps statistics of %s', owned.relation::regclass)
from owned
join pg_catalog.pg_statistic_ext as extended on extended.stxrelid = owned.relation
where coalesce(extended.stxstattarget, -1) <> 0
