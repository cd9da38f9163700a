-- Every type, with what it is beneath its domains, and how the client may treat a value of it: see
-- ColumnKind of @rowhouse/client. The kind of an array is its element's, which TypeScript adds.
with recursive beneath (id, base) as (
  select oid, oid from pg_catalog.pg_type where typtype <> 'd'
  union all
  select domain.oid, beneath.base
  from beneath
  join pg_catalog.pg_type as domain
    on domain.typtype = 'd'
    and domain.typbasetype = beneath.id
)
select
  beneath.id,
  namespace.nspname as schema,
  base.typname as name,
  element.oid as element,
  base.typtype = 'e' as is_enum,
  case
    when base.oid in ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype, 'name'::regtype) then 'text'
    when base.typname = 'citext' and base.typcategory = 'S' then 'text'
    when base.oid in ('int2'::regtype, 'int4'::regtype, 'float4'::regtype, 'float8'::regtype) then 'number'
    when base.oid in ('int8'::regtype, 'numeric'::regtype) then 'exact'
    when base.oid = 'bool'::regtype then 'boolean'
    when base.oid = 'jsonb'::regtype then 'json'
    when base.oid = 'tsvector'::regtype then 'search'
    when base.typtype in ('r', 'm') then 'range'
    when base.typtype = 'e' then 'ordered'
    when base.typtype = 'b'
    and base.typcategory <> 'A'
    and exists (
      select
      from pg_catalog.pg_opclass as class
      join pg_catalog.pg_am as method on method.oid = class.opcmethod
      where method.amname = 'btree'
      and class.opcdefault
      and class.opcintype = base.oid
    )
    -- With a cast to json, a value comes as what the cast makes of it: hstore as an object.
    and not exists (
      select
      from pg_catalog.pg_cast as conversion
      where conversion.castsource = base.oid
      and conversion.casttarget = 'json'::regtype
    ) then 'ordered'
    else 'opaque'
  end as kind
from beneath
join pg_catalog.pg_type as base on base.oid = beneath.base
join pg_catalog.pg_namespace as namespace on namespace.oid = base.typnamespace
left join pg_catalog.pg_type as element on element.typarray = base.oid
