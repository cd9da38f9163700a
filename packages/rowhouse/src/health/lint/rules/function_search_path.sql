-- level: warning
-- scope: convention
-- why: Without a search_path of its own, a function finds what the caller's names: another table
--   of the same name will do.
-- do: create function ... set search_path = ''
-- cost: Each function; it is counted only.
select
  function.oid::regprocedure::text as object,
  'the function takes the caller''s search_path' as finding
from pg_catalog.pg_proc as function
where function.pronamespace = any (:schemas::oid[])
-- The others are the rule definer_search_path's.
and not function.prosecdef
and not exists (
  select
  from unnest(function.proconfig) as setting
  where setting like 'search_path=%'
)
