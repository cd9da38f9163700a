-- level: error
-- why: A security definer function without a search_path of its own finds tables and functions by
--   the caller's, and runs them with its owner's rights: whoever can create one of the same name
--   has these rights.
-- do: alter function ... set search_path = '', and every name in it with its schema.
-- cost: Some, where functions are older than that advice: one setting mends each.
select
  function.oid::regprocedure::text as object,
  'the function runs as its owner, with the caller''s search_path' as finding
from pg_catalog.pg_proc as function
where function.pronamespace = any (:schemas::oid[] || :helpers::oid[])
and function.prosecdef
and not exists (
  select
  from unnest(function.proconfig) as setting
  where setting like 'search_path=%'
)
