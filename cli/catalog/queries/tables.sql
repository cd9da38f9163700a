select
  class.oid,
  'table' as kind,
  class.oid::regclass::text as name,
  format(
    '%s, row security %s%s%s',
    case class.relkind
      when 'r' then 'table'
      when 'p' then 'partitioned table, ' || pg_get_partkeydef(class.oid)
      when 'f' then 'foreign table'
      when 'S' then 'sequence'
      when 'v' then 'view: ' || pg_get_viewdef(class.oid)
      when 'm' then 'materialized view: ' || pg_get_viewdef(class.oid)
      when 'c' then 'composite type'
    end,
    case when class.relrowsecurity then 'enabled' else 'disabled' end,
    case when class.relforcerowsecurity then ' and forced' else '' end,
    coalesce(', ' || array_to_string(class.reloptions, ', '), '')
  ) as definition
from pg_catalog.pg_class as class
where class.relkind in ('r', 'p', 'f', 'S', 'v', 'm', 'c')
