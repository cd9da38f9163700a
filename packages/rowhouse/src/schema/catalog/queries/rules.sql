-- A view's query is a rule, too: tables.sql reads it.
select
  oid,
  'rule' as kind,
  format('%I on %s', rulename, ev_class::regclass) as name,
  pg_get_ruledef(oid) || case ev_enabled when 'O' then '' else ' enabled ' || ev_enabled::text end as definition
from pg_catalog.pg_rewrite
where rulename <> '_RETURN'
