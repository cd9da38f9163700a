-- level: error
-- scope: convention
-- why: A security definer function is a way around the policies. Sound is one that only answers yes
--   or no about its caller, for the policies of a membership table (docs/adr/0007).
-- do: Make it security invoker. Or, in the schema request or private: a stable function that
--   returns boolean, with a body of SQL that is no string (return ...), that asks
--   request.user_id(), with set search_path = '', executable by authenticated alone, and a comment
--   that says "security definer because ...".
-- cost: Each such function; it is counted only. See exposed_definer and definer_search_path.
with definer as (
  select function.*
  from pg_catalog.pg_proc as function
  where function.pronamespace = any (:schemas::oid[] || :helpers::oid[])
  and function.prosecdef
)
select
  definer.oid::regprocedure::text as object,
  'the function runs as its owner, and ' || fault.finding as finding
from definer
cross join lateral (
  values
    ('its comment gives no reason', coalesce(obj_description(definer.oid, 'pg_proc'), '') !~* '\msecurity definer because\s+\w'),
    ('returns more than yes or no', definer.prorettype <> 'boolean'::regtype or definer.proretset),
    ('may write', definer.provolatile = 'v'),
    ('its body is a string', definer.prosqlbody is null),
    (
      -- One that sets none at all is for the rule function_search_path.
      'its search_path is not empty',
      exists (
        select
        from unnest(definer.proconfig) as setting
        where setting like 'search_path=%'
        and setting <> 'search_path=""'
      )
    ),
    (
      -- PostgreSQL records what a body refers to, unless it is a string.
      'does not ask request.user_id()',
      definer.prosqlbody is not null
      and not exists (
        select
        from pg_catalog.pg_depend as reference
        where reference.classid = 'pg_proc'::regclass
        and reference.objid = definer.oid
        and reference.refclassid = 'pg_proc'::regclass
        and reference.refobjid = to_regprocedure('request.user_id()')
      )
    ),
    ('takes a user as an argument', 'user_id' = any (definer.proargnames)),
    (
      'not authenticated alone may execute it',
      exists (
        select
        from aclexplode(coalesce(definer.proacl, acldefault('f', definer.proowner))) as acl
        where acl.grantee <> definer.proowner
        and acl.grantee is distinct from :user::oid
      )
    )
) as fault (finding, found)
where fault.found
