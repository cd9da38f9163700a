-- level: note
-- why: To delete a row, PostgreSQL looks for those that point at it, and an embedded list
--   (select=*,comments(*)) asks for them: without an index on the foreign key each time reads the
--   whole table.
-- do: create index on ... (the columns of the foreign key). Where the table stays small, nothing.
-- cost: One line in all. Look at the large tables first.
select
  fkey.conrelid::regclass::text as object,
  format(
    'no index on all of its rows begins with a column of the foreign key %I (%s)',
    fkey.conname,
    (
      select string_agg(quote_ident(attribute.attname), ', ' order by part.position)
      from unnest(fkey.conkey) with ordinality as part (attnum, position)
      join pg_catalog.pg_attribute as attribute
        on attribute.attrelid = fkey.conrelid
        and attribute.attnum = part.attnum
    )
  ) as finding
from pg_catalog.pg_constraint as fkey
where fkey.contype = 'f'
and fkey.connamespace = any (:schemas::oid[])
and fkey.conparentid = 0
and not exists (
  select
  from pg_catalog.pg_index as index
  where index.indrelid = fkey.conrelid
  and index.indkey[0] = any (fkey.conkey)
  and index.indpred is null
  and index.indisvalid
)
-- That one is the rule owned_index's.
and not (
  :follows_conventions::boolean
  and exists (
    select
    from unnest(:owned_tables::oid[], :owner_columns::int2[]) as owned (relation, owner_column)
    where owned.relation = fkey.conrelid
    and owned.owner_column = any (fkey.conkey)
  )
)
