-- Every foreign key of the database. One of a partition counts as its table's, which has the rows, too.
select
  coalesce(pg_partition_root(conrelid), conrelid)::regclass::text as child,
  coalesce(pg_partition_root(confrelid), confrelid)::regclass::text as parent,
  (
    select array_agg(quote_ident(attname) order by place)
    from unnest(conkey) with ordinality as keys (number, place)
    join pg_attribute on attrelid = conrelid and attnum = number
  ) as columns,
  (
    select array_agg(quote_ident(attname) order by place)
    from unnest(confkey) with ordinality as keys (number, place)
    join pg_attribute on attrelid = confrelid and attnum = number
  ) as keys,
  (
    select bool_and(attnotnull)
    from pg_attribute
    where attrelid = conrelid and attnum = any (conkey)
  ) as always
from pg_constraint
where contype = 'f' and conparentid = 0
order by 1, 2, 3
