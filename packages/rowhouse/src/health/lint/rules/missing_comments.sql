-- level: warning
-- scope: convention
-- why: Comments are the API's description: PostgREST serves them at /, and docs/access.md shows
--   them.
-- do: comment on ... is 'One sentence for the reader of the API.';
-- cost: Each table and column; it is counted only.
select
  format('schema %s', oid::regnamespace) as object,
  'it has no comment' as finding
from pg_catalog.pg_namespace
where oid = any (:schemas::oid[])
and coalesce(obj_description(oid, 'pg_namespace'), '') !~ '\S'
union all
select
  class.oid::regclass::text,
  'it has no comment'
from pg_catalog.pg_class as class
where class.relnamespace = any (:schemas::oid[])
and class.relkind in ('r', 'p', 'v', 'm', 'f')
and coalesce(obj_description(class.oid, 'pg_class'), '') !~ '\S'
union all
select
  format('%s.%I', class.oid::regclass, attribute.attname),
  'the column has no comment'
from pg_catalog.pg_class as class
join pg_catalog.pg_attribute as attribute on attribute.attrelid = class.oid
where class.relnamespace = any (:schemas::oid[])
and class.relkind in ('r', 'p', 'v', 'm', 'f')
and attribute.attnum > 0
and not attribute.attisdropped
and coalesce(col_description(class.oid, attribute.attnum), '') !~ '\S'
union all
select
  format('%s.%I', policy.polrelid::regclass, policy.polname),
  'the policy has no comment'
from pg_catalog.pg_policy as policy
join pg_catalog.pg_class as class on class.oid = policy.polrelid
where class.relnamespace = any (:schemas::oid[])
and coalesce(obj_description(policy.oid, 'pg_policy'), '') !~ '\S'
union all
select
  function.oid::regprocedure::text,
  'the function has no comment'
from pg_catalog.pg_proc as function
where (
  function.pronamespace = any (:schemas::oid[])
  or function.pronamespace = to_regnamespace('request')
)
and coalesce(obj_description(function.oid, 'pg_proc'), '') !~ '\S'
