-- Without their order: a column that is added later stands last, wherever its file has it.
select
  attribute.attrelid as oid,
  'column' as kind,
  format('%s.%I', attribute.attrelid::regclass, attribute.attname) as name,
  jsonb_build_object(
    'table', attribute.attrelid::regclass::text,
    'column', quote_ident(attribute.attname),
    'type', format_type(attribute.atttypid, attribute.atttypmod),
    'collation', case when attribute.attcollation <> type.typcollation then attribute.attcollation::regcollation::text end,
    'notNull', attribute.attnotnull,
    'identity', case attribute.attidentity when 'a' then 'always' when 'd' then 'by default' end,
    'generated', case attribute.attgenerated when 's' then 'stored' when 'v' then 'virtual' end,
    'statistics', nullif(attribute.attstattarget, -1),
    'default', pg_get_expr(attrdef.adbin, attrdef.adrelid)
  ) as facts
from pg_catalog.pg_attribute as attribute
join pg_catalog.pg_class as class on class.oid = attribute.attrelid
join pg_catalog.pg_type as type on type.oid = attribute.atttypid
left join pg_catalog.pg_attrdef as attrdef
  on attrdef.adrelid = attribute.attrelid
  and attrdef.adnum = attribute.attnum
where attribute.attnum > 0
and not attribute.attisdropped
and class.relkind in ('r', 'p', 'f', 'v', 'm', 'c')
