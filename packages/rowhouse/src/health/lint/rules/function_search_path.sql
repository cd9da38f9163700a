-- why: Without a search_path of its own, a function finds what the caller's names: another table
--   of the same name will do.
-- do: create function ... set search_path = ''
select
  function.oid::regprocedure::text as object,
  'the function takes the caller''s search_path' as finding
from pg_catalog.pg_proc as function
where (
  function.pronamespace = 'api'::regnamespace
  or function.pronamespace::regnamespace::text in ('request', 'private')
  and function.prosecdef
)
and not exists (
  select
  from unnest(function.proconfig) as setting
  where setting like 'search_path=%'
)
