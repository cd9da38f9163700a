-- What an object has beside its definition, where it is not as PostgreSQL makes it.
with class as (
  select
    oid,
    relname,
    relkind,
    case relkind when 'S' then 'sequence' when 'i' then 'index' when 'I' then 'index' else 'table' end || ' ' || oid::regclass as name,
    relpersistence,
    relreplident,
    reltablespace,
    reloftype,
    reltoastrelid,
    relam
  from pg_catalog.pg_class
  where relkind in ('r', 'p', 'f', 'S', 'v', 'm', 'i', 'I')
  and oid >= 16384
  and relnamespace <> 'pg_toast'::regnamespace
),
attribute as (
  select
    class.oid,
    class.relkind,
    case when class.relkind in ('i', 'I') then format('column %s of %s', attnum, class.name) else format('column %s.%I', class.oid::regclass, attname) end as name,
    attstorage,
    attcompression,
    attoptions,
    attfdwoptions,
    nullif(attstattarget, -1) as attstattarget,
    atttypid
  from class
  join pg_catalog.pg_attribute on attrelid = class.oid
  where attnum > 0
  and not attisdropped
)
select oid, 'property' as kind, 'persistence of ' || name as name, 'unlogged' as definition
from class
where relpersistence = 'u'
union all
select
  class.oid,
  'property',
  'replica identity of ' || name,
  case relreplident when 'n' then 'nothing' when 'f' then 'full' else (
    select 'using index ' || indexrelid::regclass
    from pg_catalog.pg_index
    where indrelid = class.oid
    and indisreplident
  ) end
from class
where relkind in ('r', 'p', 'm')
and relreplident <> 'd'
union all
select class.oid, 'property', 'tablespace of ' || name, spcname::text
from class
join pg_catalog.pg_tablespace on pg_tablespace.oid = reltablespace
union all
select oid, 'property', 'type of ' || name, reloftype::regtype::text
from class
where reloftype <> 0
union all
select class.oid, 'property', 'access method of ' || name, amname::text
from class
join pg_catalog.pg_am on pg_am.oid = relam
where relkind in ('r', 'p', 'm')
and amname <> 'heap'
union all
select class.oid, 'property', 'options of the toast table of ' || name, array_to_string(toast.reloptions, ', ')
from class
join pg_catalog.pg_class as toast on toast.oid = class.reltoastrelid
where toast.reloptions is not null
union all
select seqrelid, 'property', 'cache of ' || name, seqcache::text
from class
join pg_catalog.pg_sequence on seqrelid = class.oid
where seqcache <> 1
union all
select
  class.oid,
  'property',
  'owner of ' || name,
  format('%s.%I', refobjid::regclass, (select attname from pg_catalog.pg_attribute where attrelid = refobjid and attnum = refobjsubid))
from class
join pg_catalog.pg_depend on classid = 'pg_class'::regclass and objid = class.oid
where relkind = 'S'
and refclassid = 'pg_class'::regclass
and deptype = 'a'
and refobjsubid > 0
union all
select indexrelid, 'property', 'clustering of ' || name, indexrelid::regclass::text
from class
join pg_catalog.pg_index on indrelid = class.oid
where indisclustered
union all
select
  attribute.oid,
  'property',
  'storage of ' || name,
  case attstorage when 'p' then 'plain' when 'e' then 'external' when 'm' then 'main' else 'extended' end
from attribute
join pg_catalog.pg_type on pg_type.oid = atttypid
where attstorage <> typstorage
and relkind in ('r', 'p', 'f', 'm')
union all
select oid, 'property', 'compression of ' || name, case attcompression when 'p' then 'pglz' else 'lz4' end
from attribute
where attcompression <> ''
union all
-- Without what Debian's PostgreSQL 15.20 was seen to write on each column that is made: pg_attver, a
-- number that is another one each time.
select oid, 'property', 'options of ' || name, string_agg(option, ', ' order by option)
from attribute
cross join unnest(coalesce(attoptions, '{}') || coalesce(attfdwoptions, '{}')) as option
where option not like 'pg\_attver=%'
group by oid, name
union all
select oid, 'property', 'statistics of ' || name, attstattarget::text
from attribute
where relkind in ('i', 'I')
and attstattarget is not null
union all
select oid, 'property', format('statistics of statistics %s.%I', stxnamespace::regnamespace, stxname), stxstattarget::text
from pg_catalog.pg_statistic_ext
where nullif(stxstattarget, -1) is not null
union all
-- That a column takes no null, columns.sql reads; from PostgreSQL 18 on it can be with a restriction.
select
  oid,
  'property',
  format('not-null constraint on %s%s', conrelid::regclass, conkey::text),
  concat_ws(' ', case when not convalidated then 'not valid' end, case when connoinherit then 'no inherit' end)
from pg_catalog.pg_constraint
where contype = 'n'
and conrelid <> 0
and (not convalidated or connoinherit)
union all
select type.oid, 'property', 'collation of type ' || type.oid::regtype, type.typcollation::regcollation::text
from pg_catalog.pg_type as type
join pg_catalog.pg_type as base on base.oid = type.typbasetype
where type.typtype = 'd'
and type.typcollation <> base.typcollation
union all
select
  rngtypid,
  'property',
  'parts of type ' || rngtypid::regtype,
  concat_ws(
    ' ',
    'multirange ' || rngmultitypid::regtype,
    'collation ' || nullif(rngcollation, 0)::regcollation,
    'operator class ' || (select format('%s.%I', opcnamespace::regnamespace, opcname) from pg_catalog.pg_opclass where oid = rngsubopc),
    'canonical ' || nullif(rngcanonical, 0)::regproc,
    'difference ' || nullif(rngsubdiff, 0)::regproc
  )
from pg_catalog.pg_range
where rngtypid >= 16384
union all
select
  objid,
  'property',
  'extension needed by ' || (select type || ' ' || identity from pg_identify_object(classid, objid, objsubid)),
  (select quote_ident(extname) from pg_catalog.pg_extension where oid = refobjid)
from pg_catalog.pg_depend
where deptype = 'x'
union all
select oid, 'property', 'schema of extension ' || quote_ident(extname), extnamespace::regnamespace::text
from pg_catalog.pg_extension
where extnamespace <> 'pg_catalog'::regnamespace
