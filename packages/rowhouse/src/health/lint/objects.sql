-- What findings can be about: see objects.ts. A comment counts where it has a waiver.
with object (name, subject, comment) as (
  select
    class.oid::regclass::text,
    case class.relkind when 'v' then 'view ' else 'table ' end || class.oid::regclass,
    obj_description(class.oid, 'pg_class')
  from pg_catalog.pg_class as class
  where class.relnamespace = any (:schemas::oid[] || :helpers::oid[])
  and class.relkind in ('r', 'p', 'v', 'm', 'f')
  union all
  select
    format('%s.%I', class.oid::regclass, attribute.attname),
    case class.relkind when 'v' then 'view ' else 'table ' end || class.oid::regclass,
    col_description(class.oid, attribute.attnum)
  from pg_catalog.pg_class as class
  join pg_catalog.pg_attribute as attribute on attribute.attrelid = class.oid
  where class.relnamespace = any (:schemas::oid[])
  and class.relkind in ('r', 'p', 'v', 'm', 'f')
  and attribute.attnum > 0
  and not attribute.attisdropped
  union all
  select
    format('%s.%I', class.oid::regclass, policy.polname),
    format('policy %I on %s', policy.polname, class.oid::regclass),
    obj_description(policy.oid, 'pg_policy')
  from pg_catalog.pg_policy as policy
  join pg_catalog.pg_class as class on class.oid = policy.polrelid
  where class.relnamespace = any (:schemas::oid[])
  union all
  select
    function.oid::regprocedure::text,
    format('function %s.%I', function.pronamespace::regnamespace, function.proname),
    obj_description(function.oid, 'pg_proc')
  from pg_catalog.pg_proc as function
  where function.pronamespace = any (:schemas::oid[] || :helpers::oid[])
  union all
  select
    format('schema %s', namespace.oid::regnamespace),
    null,
    obj_description(namespace.oid, 'pg_namespace')
  from pg_catalog.pg_namespace as namespace
  where namespace.oid = any (:schemas::oid[] || :helpers::oid[])
  union all
  select
    role.oid::regrole::text,
    null,
    shobj_description(role.oid, 'pg_authid')
  from pg_catalog.pg_roles as role
  where role.oid = any (:all_roles::oid[] || :logins::oid[])
)
select
  object.name,
  object.subject,
  case when object.comment ~* '^\s*lint:' or object.comment ~* '\n\s*lint:' then object.comment end as comment
from object
