-- level: warning
-- scope: convention
-- why: Every request filters by user_id. Without an index that leads with it, each one reads the
--   rows of all users.
-- do: Make user_id the first column of the primary key, or of an index on all rows.
-- cost: Where users are found by a foreign key, their tables without an index; it is counted only.
select
  owned.relation::regclass::text as object,
  format('no index on all of its rows leads with %I', attribute.attname) as finding
from unnest(:owned_tables::oid[], :owner_columns::int2[]) as owned (relation, owner_column)
join pg_catalog.pg_attribute as attribute
  on attribute.attrelid = owned.relation
  and attribute.attnum = owned.owner_column
where not exists (
  select
  from pg_catalog.pg_index as index
  where index.indrelid = owned.relation
  and index.indkey[0] = owned.owner_column
  and index.indpred is null
  and index.indisvalid
)
