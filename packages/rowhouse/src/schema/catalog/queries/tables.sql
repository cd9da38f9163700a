select
  class.oid,
  'table' as kind,
  class.oid::regclass::text as name,
  format(
    '%s%s, row security %s%s%s',
    case class.relkind
      when 'r' then 'table'
      when 'p' then 'partitioned table, ' || pg_get_partkeydef(class.oid)
      when 'f' then 'foreign table'
      when 'S' then (
        select format(
          'sequence of %s from %s by %s, %s to %s%s',
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
      when 'v' then 'view: ' || pg_get_viewdef(class.oid)
      when 'm' then 'materialized view: ' || pg_get_viewdef(class.oid)
      when 'c' then 'composite type'
    end,
    (
      select ' below ' || string_agg(inhparent::regclass::text, ', ' order by inhseqno)
      || coalesce(' ' || pg_get_expr(class.relpartbound, class.oid), '')
      from pg_catalog.pg_inherits
      where inhrelid = class.oid
    ),
    case when class.relrowsecurity then 'enabled' else 'disabled' end,
    case when class.relforcerowsecurity then ' and forced' else '' end,
    coalesce(', ' || array_to_string(class.reloptions, ', '), '')
  ) as definition
from pg_catalog.pg_class as class
where class.relkind in ('r', 'p', 'f', 'S', 'v', 'm', 'c')
