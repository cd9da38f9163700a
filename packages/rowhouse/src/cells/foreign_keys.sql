-- Every foreign key of the database, but for those that partitions inherit.
select
  conrelid::regclass::text as child,
  confrelid::regclass::text as parent,
  (
    select string_agg(quote_ident(attname), ', ' order by place)
    from unnest(conkey) with ordinality as keys (number, place)
    join pg_attribute on attrelid = conrelid and attnum = number
  ) as columns,
  (
    select string_agg(quote_ident(attname), ', ' order by place)
    from unnest(confkey) with ordinality as keys (number, place)
    join pg_attribute on attrelid = confrelid and attnum = number
  ) as keys
from pg_constraint
where contype = 'f' and conparentid = 0
order by 1, 2, 3
