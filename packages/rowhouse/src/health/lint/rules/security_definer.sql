-- why: A security definer function is a way around the policies (docs/adr/0002). Its
--   comment must explain what it is for.
-- do: Make it security invoker, or explain it in its comment: "security definer because ...".
select
  function.oid::regprocedure::text as object,
  'the function runs as its owner, and its comment gives no reason' as finding
from pg_catalog.pg_proc as function
where function.pronamespace::regnamespace::text in ('api', 'request', 'private')
and function.prosecdef
and coalesce(obj_description(function.oid, 'pg_proc'), '') !~* '\msecurity definer because\s+\w'
