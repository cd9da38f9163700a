-- Each column that a user may not read, write on creation, or change.
select
  class.oid,
  class.relnamespace as namespace,
  'extra grant on a column' as kind,
  format('%s.%I', class.oid::regclass, attribute.attname) as object,
  format('grant %s (%I) on %s to %I;', verb.name, attribute.attname, class.oid::regclass, role.name) as sql
from pg_catalog.pg_class as class
join pg_catalog.pg_attribute as attribute on attribute.attrelid = class.oid
cross join api
cross join unnest(api.roles) as role (name)
cross join (values ('select'), ('insert'), ('update')) as verb (name)
where class.relkind in ('r', 'p', 'f', 'v', 'm')
and attribute.attnum > 0
and not attribute.attisdropped
and role.name is distinct from api.anonymous
and not has_column_privilege(role.name, class.oid, attribute.attnum, verb.name)
order by class.oid::regclass::text, attribute.attnum, verb.name, role.name
