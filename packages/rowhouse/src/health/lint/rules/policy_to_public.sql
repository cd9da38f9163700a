-- level: warning
-- scope: convention
-- why: A policy to PUBLIC also holds for anonymous, and for every role that comes later.
-- do: create policy ... to authenticated
-- cost: Each policy without TO; it is counted only. What is open by that is the rule
--   anonymous_writes'.
select
  format('%s.%I', policy.polrelid::regclass, policy.polname) as object,
  'the policy is to PUBLIC' as finding
from pg_catalog.pg_policy as policy
join pg_catalog.pg_class as class on class.oid = policy.polrelid
where class.relnamespace = any (:schemas::oid[])
and 0 = any (policy.polroles)
