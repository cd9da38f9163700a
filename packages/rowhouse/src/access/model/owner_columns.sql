-- The column of each table and view that holds the user whose row it is: one from which foreign keys
-- lead to the users ($1), also through other tables; else the one that is named user_id. Of several it
-- is the one with that name, then one of the primary key, then the first.
with recursive users (oid) as (
  select class.oid
  from pg_catalog.pg_class as class
  join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
  where format('%I.%I', namespace.nspname, class.relname) = $1
),
user_column (relation, number) as (
  select fkey.conrelid, fkey.conkey[1]
  from pg_catalog.pg_constraint as fkey
  join users on users.oid = fkey.confrelid
  where fkey.contype = 'f'
  and cardinality(fkey.conkey) = 1
  union
  select fkey.conrelid, part.number
  from user_column
  join pg_catalog.pg_constraint as fkey
    on fkey.contype = 'f'
    and fkey.confrelid = user_column.relation
  cross join unnest(fkey.conkey, fkey.confkey) as part (number, target)
  where part.target = user_column.number
)
select distinct on (attribute.attrelid)
  attribute.attrelid as relation,
  attribute.attnum as number,
  attribute.attname as name
from pg_catalog.pg_attribute as attribute
join pg_catalog.pg_class as class on class.oid = attribute.attrelid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
left join user_column
  on user_column.relation = attribute.attrelid
  and user_column.number = attribute.attnum
left join pg_catalog.pg_constraint as pkey
  on pkey.conrelid = attribute.attrelid
  and pkey.contype = 'p'
  and attribute.attnum = any(pkey.conkey)
where class.relkind in ('r', 'p', 'f', 'v', 'm')
and namespace.nspname not like 'pg\_%'
and attribute.attnum > 0
and not attribute.attisdropped
and attribute.attrelid not in (select oid from users)
and (user_column.number is not null or attribute.attname = 'user_id')
order by
  attribute.attrelid,
  user_column.number is null,
  attribute.attname <> 'user_id',
  pkey.oid is null,
  attribute.attnum
