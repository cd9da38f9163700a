-- What no plan says of columns: how they are stored, their options, and that one which is inherited takes no null.
-- $1 are the schemas of the platform. Some of it goes on to what inherits, and a new table begins with what its
-- parents have by then: so those come first, and what differs from a parent is said.
with recursive place (relation, depth) as (
  select oid, 0
  from pg_catalog.pg_class
  where relkind in ('r', 'p', 'f', 'm')
  union
  select inhrelid, depth + 1
  from place
  join pg_catalog.pg_inherits on inhparent = relation
),
own as (
  select
    class.oid as relation,
    depth,
    case relkind when 'm' then 'materialized view' when 'f' then 'foreign table' else 'table' end as kind,
    attname as name,
    attnum as number,
    attstorage as storage,
    typstorage as usual,
    attcompression as compression,
    attnotnull as is_required,
    attoptions as options
  from (select relation, max(depth) as depth from place group by relation) as place
  join pg_catalog.pg_class as class on class.oid = place.relation
  join pg_catalog.pg_attribute on attrelid = class.oid and attnum > 0 and not attisdropped
  join pg_catalog.pg_type on pg_type.oid = atttypid
  where relnamespace::regnamespace::text <> all ($1::text[])
  and class.oid >= 16384
  and not exists (
    select
    from pg_catalog.pg_depend
    where classid = 'pg_class'::regclass
    and objid = class.oid
    and deptype = 'e'
  )
),
above as (
  select
    inhrelid as relation,
    name,
    bool_or(storage <> usual) as is_stored_otherwise,
    bool_or(compression <> '') as is_compressed_otherwise,
    bool_or(is_required) as is_required
  from pg_catalog.pg_inherits
  join own on own.relation = inhparent
  group by inhrelid, name
),
change as (
  select own.*, change
  from own
  left join above using (relation, name)
  cross join lateral (
    select 'set storage ' || case storage when 'p' then 'plain' when 'e' then 'external' when 'm' then 'main' else 'extended' end
    where storage <> usual
    or is_stored_otherwise
    union all
    select 'set compression ' || case compression when 'p' then 'pglz' when 'l' then 'lz4' else 'default' end
    where compression <> ''
    or is_compressed_otherwise
    union all
    -- Without pg_attver: see catalog/queries/properties.sql.
    select format('set (%s)', string_agg(format('%I = %L', option_name, option_value), ', ' order by option_name))
    from pg_options_to_table(options)
    where option_name <> 'pg_attver'
    having count(*) > 0
    union all
    select 'set not null'
    where own.is_required
    and not above.is_required
    and not exists (
      select
      from pg_catalog.pg_index
      where indrelid = relation
      and indisprimary
      and number = any (indkey)
    )
  ) as said (change)
)
select format('alter %s %s alter column %I %s', kind, relation::regclass, name, change) as sql
from change
order by depth, relation::regclass::text, number, change
