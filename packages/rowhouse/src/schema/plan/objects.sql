-- The objects on which privileges can be held, by type and name, and the schema they are in. What came
-- with the server differs from one version to the next.
select
  case relkind when 'S' then 'sequence ' else 'table ' end || oid::regclass as name,
  relnamespace::regnamespace::text as schema
from pg_catalog.pg_class
where relkind in ('r', 'p', 'f', 'S', 'v', 'm')
and oid >= 16384
union all
select 'schema ' || quote_ident(nspname), null
from pg_catalog.pg_namespace
union all
select format('column %s.%I', attrelid::regclass, attname), null
from pg_catalog.pg_attribute
where attnum > 0
and not attisdropped
and attrelid >= 16384
union all
select
  case prokind when 'p' then 'procedure ' else 'function ' end || oid::regprocedure,
  pronamespace::regnamespace::text
from pg_catalog.pg_proc
where oid >= 16384
union all
select 'type ' || oid::regtype, typnamespace::regnamespace::text
from pg_catalog.pg_type
where typtype in ('d', 'e', 'r')
and oid >= 16384
