-- level: warning
-- scope: convention
-- why: One policy per command, named verb_who, says in a diff what changes for whom; a check that
--   is written down is not lost when the condition for reading is changed.
-- do: create policy select_own ... for select; insert and update with check (...).
-- cost: Nearly each policy; it is counted only.
with policy as (
  select
    polrelid::regclass as relation,
    polname as name,
    polpermissive as permissive,
    polroles as roles,
    polwithcheck as check,
    case polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end as verb
  from pg_catalog.pg_policy
  join pg_catalog.pg_class on pg_class.oid = polrelid
  where pg_class.relnamespace = any (:schemas::oid[])
)
select
  format('%s.%I', relation, name) as object,
  'the policy is for all commands' as finding
from policy
where verb = 'all'
union all
select
  format('%s.%I', relation, name),
  format('the policy is not named %s_<who>', verb)
from policy
where verb <> 'all'
and name !~ ('^' || verb || '_[a-z0-9_]+$')
union all
select
  format('%s.%I', relation, name),
  format('the policy for %s has no WITH CHECK', verb)
from policy
where verb in ('insert', 'update')
and policy.check is null
union all
select
  format('%s.%I', relation, name),
  format('another policy is for %s, too', verb)
from policy
where verb <> 'all'
and permissive
and exists (
  select
  from policy as other
  where other.relation = policy.relation
  and other.verb = policy.verb
  and other.permissive
  and other.roles && policy.roles
  and other.name < policy.name
)
