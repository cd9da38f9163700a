-- The same as keys.sql, for unique indexes that are no constraint: those over expressions, and
-- those with a condition.
select
  index.indexrelid as oid,
  class.relnamespace as namespace,
  'key without ' || rest.owner as kind,
  format('%I on %s', class.relname, index.indrelid::regclass) as object,
  format(
    e'drop index %s;\n\ncreate unique index %I on %s (%s)%s;',
    index.indexrelid::regclass,
    class.relname,
    index.indrelid::regclass,
    rest.columns,
    e'\nwhere ' || pg_get_expr(index.indpred, index.indrelid)
  ) as sql
from pg_catalog.pg_index as index
join pg_catalog.pg_class as class on class.oid = index.indexrelid
cross join lateral (
  select
    string_agg(definition, ', ' order by position) filter (where definition is distinct from owner.name) as columns,
    min(owner.name) filter (where definition = owner.name) as owner
  from generate_series(1, index.indnkeyatts) as position
  cross join pg_get_indexdef(index.indexrelid, position, false) as definition
  left join (
    select quote_ident(attribute.attname) as name
    from owner_column
    join pg_catalog.pg_attribute as attribute
      on attribute.attrelid = owner_column.relation
      and attribute.attnum = owner_column.number
    where owner_column.relation = index.indrelid
  ) as owner on true
) as rest
where index.indisunique
and not exists (
  select
  from pg_catalog.pg_constraint as con
  where con.conindid = index.indexrelid
)
and rest.owner is not null
and rest.columns is not null
order by object
