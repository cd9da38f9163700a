-- why: Who may read some columns and not all of them gets 42501 for select=*, which is what a list and
--   the answer to a write ask for unless they name columns: one new column without a grant takes
--   the whole table away from all its users.
-- do: grant select (column) on ... to ...; what no request may see belongs into the schema private.
with readable (relation, role, columns) as (
  select class.oid, acl.grantee, array_agg(attribute.attnum)
  from pg_catalog.pg_class as class
  join pg_catalog.pg_attribute as attribute on attribute.attrelid = class.oid
  cross join aclexplode(attribute.attacl) as acl
  where class.relnamespace = 'api'::regnamespace
  and class.relkind in ('r', 'p', 'v', 'm', 'f')
  and attribute.attnum > 0
  and not attribute.attisdropped
  and acl.privilege_type = 'SELECT'
  group by class.oid, acl.grantee
)
select
  format('%s.%I', readable.relation::regclass, attribute.attname) as object,
  format(
    '%s may read other columns of it, and not this one',
    case readable.role when 0 then 'PUBLIC' else readable.role::regrole::text end
  ) as finding
from readable
join pg_catalog.pg_attribute as attribute on attribute.attrelid = readable.relation
where attribute.attnum > 0
and not attribute.attisdropped
and not case readable.role
  when 0 then attribute.attnum = any(readable.columns)
  else has_column_privilege(readable.role, readable.relation, attribute.attnum, 'SELECT')
end
