-- Every table that can hold rows, as one JSON value: what it takes to make up a row of it, and what
-- the role of a user's token ($1) may do with it. See tables.ts for its shape.
select coalesce(
  json_agg(
    json_build_object(
      'schema', namespace.nspname,
      'name', class.relname,
      'key', (
        select coalesce(json_agg(attribute.attname order by part.position), '[]')
        from pg_catalog.pg_constraint as pkey
        cross join unnest(pkey.conkey) with ordinality as part (attnum, position)
        join pg_catalog.pg_attribute as attribute
          on attribute.attrelid = class.oid
          and attribute.attnum = part.attnum
        where pkey.conrelid = class.oid
        and pkey.contype = 'p'
      ),
      'columns', (
        select coalesce(
          json_agg(
            json_build_object(
              'name', attribute.attname,
              'type', format_type(coalesce(base.oid, type.oid), null),
              'domain', case type.typtype when 'd' then type.typname end,
              'element', (
                select format_type(element.oid, null)
                from pg_catalog.pg_type as element
                where element.oid = coalesce(base.typelem, type.typelem)
                and coalesce(base.typcategory, type.typcategory) = 'A'
              ),
              'labels', (
                select json_agg(label.enumlabel order by label.enumsortorder)
                from pg_catalog.pg_enum as label
                where label.enumtypid in (coalesce(base.oid, type.oid), coalesce(base.typelem, type.typelem))
              ),
              'maxLength', case
                when coalesce(base.oid, type.oid) in ('varchar'::regtype, 'bpchar'::regtype)
                and greatest(attribute.atttypmod, type.typtypmod) > 4
                then greatest(attribute.atttypmod, type.typtypmod) - 4
              end,
              'digits', case
                when coalesce(base.oid, type.oid) = 'numeric'::regtype
                and greatest(attribute.atttypmod, type.typtypmod) > 4
                then (greatest(attribute.atttypmod, type.typtypmod) - 4 >> 16) - ((greatest(attribute.atttypmod, type.typtypmod) - 4) & 2047)
              end,
              'required', (attribute.attnotnull or type.typnotnull)
                and not attribute.atthasdef
                and type.typdefault is null
                and attribute.attidentity = '',
              'hasDefault', attribute.atthasdef or attribute.attidentity <> '' or type.typdefault is not null,
              'writable', attribute.attgenerated = '' and attribute.attidentity <> 'a',
              'checks', (
                select coalesce(json_agg(pg_get_constraintdef(rule.oid)), '[]')
                from pg_catalog.pg_constraint as rule
                where rule.contype = 'c'
                and (
                  rule.conrelid = class.oid and attribute.attnum = any (rule.conkey)
                  or rule.contypid = type.oid and type.typtype = 'd'
                )
              )
            )
            order by attribute.attnum
          ),
          '[]'
        )
        from pg_catalog.pg_attribute as attribute
        join pg_catalog.pg_type as type
          on type.oid = attribute.atttypid
        left join pg_catalog.pg_type as base
          on base.oid = type.typbasetype
          and type.typtype = 'd'
        where attribute.attrelid = class.oid
        and attribute.attnum > 0
        and not attribute.attisdropped
      ),
      -- What an error can name: a constraint, or a unique index that is none.
      'constraints', (
        select coalesce(json_agg(json_build_object('name', rule.name, 'columns', rule.columns)), '[]')
        from (
          select
            con.conname as name,
            array(
              select attribute.attname
              from pg_catalog.pg_attribute as attribute
              where attribute.attrelid = class.oid
              and attribute.attnum = any (con.conkey)
              order by attribute.attnum
            ) as columns
          from pg_catalog.pg_constraint as con
          where con.conrelid = class.oid
          union all
          select
            member.relname,
            array(
              select attribute.attname
              from pg_catalog.pg_attribute as attribute
              join pg_catalog.pg_depend as dependency
                on dependency.refobjid = attribute.attrelid
                and dependency.refobjsubid = attribute.attnum
                and dependency.objid = index.indexrelid
                and dependency.classid = 'pg_catalog.pg_class'::regclass
              where attribute.attrelid = class.oid
              order by attribute.attnum
            )
          from pg_catalog.pg_index as index
          join pg_catalog.pg_class as member
            on member.oid = index.indexrelid
          where index.indrelid = class.oid
          and index.indisunique
          and not exists (select from pg_catalog.pg_constraint where conindid = index.indexrelid and conrelid = class.oid)
        ) as rule
      ),
      'foreignKeys', (
        select coalesce(
          json_agg(
            json_build_object(
              'columns', (
                select json_agg(attribute.attname order by part.position)
                from unnest(fkey.conkey) with ordinality as part (attnum, position)
                join pg_catalog.pg_attribute as attribute
                  on attribute.attrelid = fkey.conrelid
                  and attribute.attnum = part.attnum
              ),
              'schema', target_namespace.nspname,
              'table', target.relname,
              'targets', (
                select json_agg(attribute.attname order by part.position)
                from unnest(fkey.confkey) with ordinality as part (attnum, position)
                join pg_catalog.pg_attribute as attribute
                  on attribute.attrelid = fkey.confrelid
                  and attribute.attnum = part.attnum
              )
            )
            order by fkey.conname
          ),
          '[]'
        )
        from pg_catalog.pg_constraint as fkey
        join pg_catalog.pg_class as target
          on target.oid = fkey.confrelid
        join pg_catalog.pg_namespace as target_namespace
          on target_namespace.oid = target.relnamespace
        where fkey.conrelid = class.oid
        and fkey.contype = 'f'
        and fkey.conparentid = 0
      ),
      'grants', (
        select json_build_object(
          'select', granted.columns_of_select,
          'insert', granted.columns_of_insert,
          'update', granted.columns_of_update,
          'delete', usable.is_usable and has_table_privilege($1::text, class.oid, 'delete')
        )
        from (
          select
            coalesce(json_agg(attname order by attnum) filter (where usable.is_usable and has_column_privilege($1::text, class.oid, attnum, 'select')), '[]') as columns_of_select,
            coalesce(json_agg(attname order by attnum) filter (where usable.is_usable and has_column_privilege($1::text, class.oid, attnum, 'insert')), '[]') as columns_of_insert,
            coalesce(json_agg(attname order by attnum) filter (where usable.is_usable and has_column_privilege($1::text, class.oid, attnum, 'update')), '[]') as columns_of_update
          from pg_catalog.pg_attribute
          where attrelid = class.oid
          and attnum > 0
          and not attisdropped
        ) as granted
      )
    )
    order by namespace.nspname, class.relname
  ),
  '[]'
) as tables
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace
  on namespace.oid = class.relnamespace
cross join lateral (
  select has_schema_privilege($1::text, namespace.oid, 'usage') as is_usable
) as usable
where class.relkind in ('r', 'p')
and not class.relispartition
and class.oid >= 16384
and namespace.nspname !~ '^pg_'
and namespace.nspname <> 'information_schema'
