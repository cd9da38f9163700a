-- level: warning
-- why: A security definer function in an exposed schema is /rpc/<name> for all users who may
--   execute it, with its owner's rights: past all policies, for any arguments.
-- do: Move it into a schema that is not exposed (policies and triggers find it there), revoke
--   execute from public and from the roles, or make it security invoker. Where it is meant to be
--   called, see that it checks the caller, and waive it with that reason.
-- cost: Some: Supabase's guides put such functions into public. Each is worth a look.
select
  function.oid::regprocedure::text as object,
  format(
    'the function runs as its owner, and %s may call it at /rpc/%s',
    string_agg(role.oid::regrole::text, ', ' order by role.oid::regrole::text),
    function.proname
  ) as finding
from pg_catalog.pg_proc as function
cross join unnest(:roles::oid[]) as role (oid)
where function.pronamespace = any (:schemas::oid[])
and function.prosecdef
-- PostgREST calls no trigger functions.
and function.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
and has_schema_privilege(role.oid, function.pronamespace, 'usage')
and has_function_privilege(role.oid, function.oid, 'execute')
group by function.oid, function.proname
