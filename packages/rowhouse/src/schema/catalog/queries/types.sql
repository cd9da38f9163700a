select
  type.oid,
  'type' as kind,
  type.oid::regtype::text as name,
  jsonb_build_object(
    'labels', case when type.typtype = 'e' then (
      select coalesce(jsonb_agg(enumlabel order by enumsortorder), '[]')
      from pg_catalog.pg_enum
      where enumtypid = type.oid
    ) end,
    'detail', case type.typtype
      when 'd' then format(
        'domain: %s%s default %s',
        format_type(type.typbasetype, type.typtypmod),
        case when type.typnotnull then ' not null' end,
        type.typdefault
      )
      when 'r' then (
        select 'range of ' || rngsubtype::regtype
        from pg_catalog.pg_range
        where rngtypid = type.oid
      )
    end
  ) as facts
from pg_catalog.pg_type as type
where type.typtype in ('d', 'e', 'r')
