-- level: error
-- why: Without row-level security a grant on a table is a grant on all users' rows.
-- do: alter table ... enable row level security, and a policy for each command; a foreign table
--   belongs into a schema that is not exposed.
-- cost: None, but for tables that are open.
select
  class.oid::regclass::text as object,
  case
    when class.relkind = 'f' then 'a foreign table knows no row-level security'
    else 'its row-level security is off'
  end as finding
from pg_catalog.pg_class as class
where class.relnamespace = any (:schemas::oid[])
and class.relkind in ('r', 'p', 'f')
and not class.relrowsecurity
-- Closed by their grants: partitions that are reached through their parent, whose policies hold; and dbmate's own
-- table, where the schema public is served.
and not (
  (
    class.relispartition
    or (class.relname = 'schema_migrations' and class.relnamespace = to_regnamespace('public'))
  )
  and not exists (
    select
    from unnest(:roles::oid[]) as role (oid)
    where has_any_column_privilege(role.oid, class.oid, 'select, insert, update')
    or has_table_privilege(role.oid, class.oid, 'delete, truncate')
  )
)
