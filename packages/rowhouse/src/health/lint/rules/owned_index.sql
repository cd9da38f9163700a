-- why: Every request filters by user_id. Without an index that leads with it, each one reads the
--   rows of all users.
-- do: Make user_id the first column of the primary key, or of an index on all rows.
select
  attribute.attrelid::regclass::text as object,
  'no index on all of its rows leads with user_id' as finding
from pg_catalog.pg_attribute as attribute
join pg_catalog.pg_class as class on class.oid = attribute.attrelid
where class.relnamespace = 'api'::regnamespace
and class.relkind in ('r', 'p')
and attribute.attname = 'user_id'
and not attribute.attisdropped
and not exists (
  select
  from pg_catalog.pg_index as index
  where index.indrelid = class.oid
  and index.indkey[0] = attribute.attnum
  and index.indpred is null
  and index.indisvalid
)
