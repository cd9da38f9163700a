-- The tables that can hold rows, with what is needed to make up a row: each column, its type, and
-- the column that it refers to.
select
  class.oid::regclass::text as table,
  json_agg(
    json_build_object(
      'name', quote_ident(attribute.attname),
      'type', format_type(attribute.atttypid, null),
      'required', attribute.attnotnull and not attribute.atthasdef and attribute.attidentity = '',
      'made', attribute.atthasdef or attribute.attidentity <> '',
      'fixed', attribute.attidentity = 'a',
      'labels', (
        select json_agg(enumlabel order by enumsortorder)
        from pg_catalog.pg_enum
        where enumtypid = attribute.atttypid
      ),
      'refers', (
        select json_build_object(
          'table', fkey.confrelid::regclass::text,
          'column', (
            select quote_ident(target.attname)
            from pg_catalog.pg_attribute as target
            where target.attrelid = fkey.confrelid
            and target.attnum = fkey.confkey[array_position(fkey.conkey, attribute.attnum)]
          )
        )
        from pg_catalog.pg_constraint as fkey
        where fkey.conrelid = class.oid
        and fkey.contype = 'f'
        and attribute.attnum = any (fkey.conkey)
        and fkey.confrelid <> class.oid
        order by array_length(fkey.conkey, 1) desc, fkey.conname
        limit 1
      )
    )
    order by attribute.attnum
  ) as columns,
  (
    select json_agg(pg_get_constraintdef(rule.oid))
    from pg_catalog.pg_constraint as rule
    where rule.contype = 'c'
    and (
      rule.conrelid = class.oid
      or rule.contypid in (select atttypid from pg_catalog.pg_attribute where attrelid = class.oid)
    )
  ) as rules
from pg_catalog.pg_class as class
join pg_catalog.pg_attribute as attribute
  on attribute.attrelid = class.oid
  and attribute.attnum > 0
  and not attribute.attisdropped
  and attribute.attgenerated = ''
where class.relkind in ('r', 'p')
and class.oid >= 16384
and not class.relispartition
and class.oid::regclass::text <> 'public.schema_migrations'
group by class.oid
order by class.oid::regclass::text
