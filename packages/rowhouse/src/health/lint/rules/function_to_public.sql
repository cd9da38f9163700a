-- level: warning
-- scope: convention
-- why: PostgreSQL lets all users execute a new function, anonymous too, unless that is revoked.
-- do: revoke execute on function ... from public; grant execute on function ... to authenticated;
-- cost: Each function, since that is PostgreSQL's default; it is counted only.
select
  function.oid::regprocedure::text as object,
  'PUBLIC may execute the function' as finding
from pg_catalog.pg_proc as function
cross join aclexplode(coalesce(function.proacl, acldefault('f', function.proowner))) as acl
where function.pronamespace = any (:schemas::oid[])
and acl.grantee = 0
