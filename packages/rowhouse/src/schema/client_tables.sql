-- What the client must know of each table of the API. A table is owned when its primary key is
-- (owner, id) and the owner is a foreign key to the users: each row belongs to one user.
with recursive base_type (oid, base) as (
  select oid, oid from pg_catalog.pg_type where typtype <> 'd'
  union all
  select domain.oid, base_type.base
  from base_type
  join pg_catalog.pg_type as domain
    on domain.typtype = 'd'
    and domain.typbasetype = base_type.oid
)
select
  class.relname as name,
  coalesce(key.columns, '{}') as key,
  owner.name as owner,
  columns.nullable,
  columns.unsafe_numbers
from pg_catalog.pg_class as class
left join pg_catalog.pg_constraint as pkey
  on pkey.conrelid = class.oid
  and pkey.contype = 'p'
cross join lateral (
  select array_agg(attribute.attname::text order by part.position) as columns
  from unnest(pkey.conkey) with ordinality as part (attnum, position)
  join pg_catalog.pg_attribute as attribute
    on attribute.attrelid = class.oid
    and attribute.attnum = part.attnum
) as key
left join lateral (
  select key.columns[1] as name
  where cardinality(key.columns) = 2
  and key.columns[2] = 'id'
  and exists (
    select from pg_catalog.pg_constraint as fkey
    where fkey.conrelid = class.oid
    and fkey.contype = 'f'
    and fkey.confrelid = to_regclass('api.users')
    and fkey.conkey = pkey.conkey[1:1]
  )
) as owner on true
cross join lateral (
  select
    coalesce(
      array_agg(attribute.attname::text order by attribute.attnum) filter (
        where not (attribute.attnotnull or type.typtype = 'd' and type.typnotnull)
      ),
      '{}'
    ) as nullable,
    coalesce(
      array_agg(attribute.attname::text order by attribute.attnum) filter (
        where base_type.base in (
          'int8'::regtype, 'numeric'::regtype, 'int8[]'::regtype, 'numeric[]'::regtype
        )
      ),
      '{}'
    ) as unsafe_numbers
  from pg_catalog.pg_attribute as attribute
  join pg_catalog.pg_type as type on type.oid = attribute.atttypid
  join base_type on base_type.oid = type.oid
  where attribute.attrelid = class.oid
  and attribute.attnum > 0
  and not attribute.attisdropped
) as columns
where class.relnamespace = to_regnamespace(quote_ident($1))
and class.relkind in ('r', 'p')
order by name
