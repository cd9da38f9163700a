-- Every table and view outside of the system's schemas, one a row: those that the API shows, and
-- those that its views show. Columns are named by their number. $1 is the table of the users.
select
  class.oid as id,
  namespace.nspname as schema,
  class.relname as name,
  class.relkind as kind,
  class.relispartition as is_partition,
  class.oid = users.oid is true as is_users,
  columns.list as columns,
  coalesce(key.columns, '{}') as key,
  owner.number as owner,
  coalesce(fkeys.list, '[]') as references,
  -- A simple view by PostgreSQL's rules: it shows rows of one relation, each at most once.
  -- pg_relation_is_updatable() also counts INSTEAD rules, with which any view can be written.
  case
    when class.relkind = 'v'
    and pg_relation_is_updatable(class.oid, false) = 28
    and not exists (
      select
      from pg_catalog.pg_rewrite as rule
      where rule.ev_class = class.oid
      and rule.ev_type <> '1'
    )
    then (
      select rule.ev_action::text
      from pg_catalog.pg_rewrite as rule
      where rule.ev_class = class.oid
    )
  end as simple_view
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
left join (
  select users_class.oid
  from pg_catalog.pg_class as users_class
  join pg_catalog.pg_namespace as users_schema on users_schema.oid = users_class.relnamespace
  where format('%I.%I', users_schema.nspname, users_class.relname) = $1
) as users on true
cross join lateral (
  select
    coalesce(
      json_agg(
        json_build_object(
          'number', attribute.attnum,
          'name', attribute.attname,
          'type', attribute.atttypid::int8,
          -- An outer join makes nulls also of a type that is never null.
          'notNull', attribute.attnotnull or class.relkind in ('r', 'p', 'f') and type.typnotnull,
          'isInsertable', attribute.attgenerated = ''
            and attribute.attidentity <> 'a'
            and exists (
              select
              from (
                select acl.grantee, acl.privilege_type from aclexplode(class.relacl) as acl
                union all
                select acl.grantee, acl.privilege_type from aclexplode(attribute.attacl) as acl
              ) as privilege
              where privilege.privilege_type = 'INSERT'
              and privilege.grantee <> class.relowner
            )
        )
        order by attribute.attnum
      ),
      '[]'
    ) as list
  from pg_catalog.pg_attribute as attribute
  join pg_catalog.pg_type as type on type.oid = attribute.atttypid
  where attribute.attrelid = class.oid
  and attribute.attnum > 0
  and not attribute.attisdropped
) as columns
-- The primary key, or else a unique key without nulls: the shortest, then the first by its name.
left join lateral (
  select
    index.indisprimary as is_primary,
    array(
      select part.number::int
      from unnest(index.indkey) with ordinality as part (number, position)
      where part.position <= index.indnkeyatts
      order by part.position
    ) as columns
  from pg_catalog.pg_index as index
  join pg_catalog.pg_class as index_class on index_class.oid = index.indexrelid
  where index.indrelid = class.oid
  and index.indisvalid
  and (
    index.indisprimary
    or index.indisunique
    and index.indimmediate
    and index.indpred is null
    and index.indexprs is null
    and not exists (
      select
      from unnest(index.indkey) with ordinality as part (number, position)
      join pg_catalog.pg_attribute as attribute
        on attribute.attrelid = index.indrelid
        and attribute.attnum = part.number
      where part.position <= index.indnkeyatts
      and not attribute.attnotnull
      -- PostgreSQL knows of no column of a materialized view that it is never null.
      and class.relkind <> 'm'
    )
  )
  -- The rows of tables that inherit from this one are in no index of it.
  and not (
    class.relkind = 'r'
    and exists (select from pg_catalog.pg_inherits where inhparent = class.oid)
  )
  order by index.indisprimary desc, index.indnkeyatts, index_class.relname
  limit 1
) as key on true
-- A table is owned when its primary key is (owner, id) and the owner is a foreign key to the users:
-- each row belongs to one user.
left join lateral (
  select key.columns[1] as number
  from pg_catalog.pg_attribute as id
  where id.attrelid = class.oid
  and id.attnum = key.columns[2]
  and id.attname = 'id'
  and key.is_primary
  and cardinality(key.columns) = 2
  and exists (
    select
    from pg_catalog.pg_constraint as fkey
    where fkey.conrelid = class.oid
    and fkey.contype = 'f'
    and fkey.confrelid = users.oid
    and fkey.conkey::int[] = key.columns[1:1]
  )
) as owner on true
left join lateral (
  select
    json_agg(
      json_build_object(
        'name', fkey.conname,
        'columns', fkey.conkey,
        'target', fkey.confrelid::int8
      )
      order by fkey.conname
    ) as list
  from pg_catalog.pg_constraint as fkey
  where fkey.conrelid = class.oid
  and fkey.contype = 'f'
  -- Not the copies that PostgreSQL makes for the partitions of the table it points at.
  and fkey.conparentid = 0
) as fkeys on true
where class.relkind in ('r', 'p', 'v', 'm', 'f')
and namespace.nspname not like 'pg\_%'
and namespace.nspname <> 'information_schema'
-- dbmate's own table, which nothing declares.
and (namespace.nspname, class.relname) <> ('public', 'schema_migrations')
order by class.relname
