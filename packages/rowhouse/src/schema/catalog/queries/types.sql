select
  type.oid,
  'type' as kind,
  type.oid::regtype::text as name,
  case type.typtype
    when 'e' then (
      select 'enum: ' || string_agg(quote_literal(enumlabel), ', ' order by enumsortorder)
      from pg_catalog.pg_enum
      where enumtypid = type.oid
    )
    when 'd' then format(
      'domain: %s%s default %s',
      format_type(type.typbasetype, type.typtypmod),
      case when type.typnotnull then ' not null' end,
      type.typdefault
    )
    else (
      select 'range of ' || rngsubtype::regtype
      from pg_catalog.pg_range
      where rngtypid = type.oid
    )
  end as definition
from pg_catalog.pg_type as type
where type.typtype in ('d', 'e', 'r')
