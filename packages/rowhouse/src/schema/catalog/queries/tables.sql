select
  class.oid,
  'table' as kind,
  class.oid::regclass::text as name,
  jsonb_build_object(
    'relation', case class.relkind
      when 'r' then 'table'
      when 'p' then 'partitioned table'
      when 'f' then 'foreign table'
      when 'S' then 'sequence'
      when 'v' then 'view'
      when 'm' then 'materialized view'
      when 'c' then 'composite type'
    end,
    'schema', class.relnamespace::regnamespace::text,
    'detail', case
      when class.relkind = 'p' then pg_get_partkeydef(class.oid)
      when class.relkind in ('v', 'm') then pg_get_viewdef(class.oid)
      when class.relkind = 'S' then (
        select format(
          '%s from %s by %s, %s to %s%s',
          seqtypid::regtype,
          seqstart,
          seqincrement,
          seqmin,
          seqmax,
          case when seqcycle then ', cycle' end
        )
        from pg_catalog.pg_sequence
        where seqrelid = class.oid
      )
    end,
    'below', (
      select string_agg(inhparent::regclass::text, ', ' order by inhseqno)
      || coalesce(' ' || pg_get_expr(class.relpartbound, class.oid), '')
      from pg_catalog.pg_inherits
      where inhrelid = class.oid
    ),
    'rowSecurity', class.relrowsecurity,
    'forced', class.relforcerowsecurity,
    'options', (
      select coalesce(jsonb_agg(option order by option), '[]')
      from unnest(class.reloptions) as option
    )
  ) as facts
from pg_catalog.pg_class as class
where class.relkind in ('r', 'p', 'f', 'S', 'v', 'm', 'c')
