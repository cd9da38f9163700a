-- level: note
-- why: A name that means something in the address of a request, or that needs quotes, works with
--   @rowhouse/client, and makes every hand-written request a trap: ?limit=eq.1 is no filter.
-- do: alter table ... rename ... to ...; lower-case letters, digits and underscores need no quotes.
-- cost: One line in all, on a project that does not follow the conventions; many where columns are
--   named "createdAt". Leave them: the client quotes.
with named (object, what, name) as (
  select class.oid::regclass::text, 'the name', class.relname::text
  from pg_catalog.pg_class as class
  where class.relnamespace = any (:schemas::oid[])
  and class.relkind in ('r', 'p', 'v', 'm', 'f')
  union all
  select
    format('%s.%I', class.oid::regclass, attribute.attname),
    'the column''s name',
    attribute.attname
  from pg_catalog.pg_class as class
  join pg_catalog.pg_attribute as attribute on attribute.attrelid = class.oid
  where class.relnamespace = any (:schemas::oid[])
  and class.relkind in ('r', 'p', 'v', 'm', 'f')
  and attribute.attnum > 0
  and not attribute.attisdropped
  union all
  select
    function.oid::regprocedure::text,
    'the name',
    function.proname
  from pg_catalog.pg_proc as function
  where function.pronamespace = any (:schemas::oid[])
  -- In a path, nothing is reserved.
  and function.proname !~ '^[a-z_][a-z0-9_]*$' collate "C"
  union all
  select
    function.oid::regprocedure::text,
    format('the name of the argument %I', argument.name),
    argument.name
  from pg_catalog.pg_proc as function
  cross join unnest(function.proargnames) as argument (name)
  where function.pronamespace = any (:schemas::oid[])
  and argument.name <> ''
)
select
  named.object,
  format(
    '%s %s',
    named.what,
    case
      when named.name !~ '^[a-z_][a-z0-9_]*$' collate "C" then 'needs quotes'
      else 'means something in the address of a request'
    end
  ) as finding
from named
where named.name !~ '^[a-z_][a-z0-9_]*$' collate "C"
or named.name in ('select', 'order', 'limit', 'offset', 'columns', 'on_conflict', 'and', 'or', 'not')
