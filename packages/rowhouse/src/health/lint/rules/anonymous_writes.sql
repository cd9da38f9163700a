-- level: warning
-- why: Whoever knows the address of the API may write there without signing in: nobody can be asked
--   about it, and nothing but the edge limits how much.
-- do: revoke insert, update, delete on ... from the anonymous role, or let the policy be to another
--   role, or ask who the caller is. Where it is meant, as for a contact form, waive it.
-- cost: Few: only what no policy ties to a caller.
-- Whether an expression asks about the caller is taken from what it calls: a function of the
-- project or of the platform, or a setting.
with verb (name, command) as (
  values ('insert', 'a'), ('update', 'w'), ('delete', 'd')
),
writable as (
  select class.oid, class.relrowsecurity as is_secured, verb.name, verb.command::"char" as command
  from pg_catalog.pg_class as class
  cross join verb
  where class.relnamespace = any (:schemas::oid[])
  and class.relkind in ('r', 'p')
  and :anonymous::oid = any (:roles::oid[])
  and has_schema_privilege(:anonymous::oid, class.relnamespace, 'usage')
  and case verb.name
    when 'delete' then has_table_privilege(:anonymous::oid, class.oid, 'delete')
    else has_any_column_privilege(:anonymous::oid, class.oid, verb.name)
  end
),
policy as (
  select
    policy.polrelid as relation,
    policy.polname as name,
    policy.polcmd as command,
    policy.polpermissive as is_permissive,
    exists (
      select
      from pg_catalog.pg_depend as reference
      where reference.classid = 'pg_policy'::regclass
      and reference.objid = policy.oid
      and reference.refclassid = 'pg_proc'::regclass
    )
    or expression.text ~* '\m(current_setting|current_user|session_user|current_role)\M' as asks,
    'false' in (expression.using, expression.check) as is_closed
  from pg_catalog.pg_policy as policy
  cross join lateral (
    select
      pg_get_expr(policy.polqual, policy.polrelid) as using,
      pg_get_expr(policy.polwithcheck, policy.polrelid) as check,
      concat_ws(' ', pg_get_expr(policy.polqual, policy.polrelid), pg_get_expr(policy.polwithcheck, policy.polrelid)) as text
  ) as expression
  where exists (
    select
    from unnest(policy.polroles) as role (oid)
    where role.oid = 0
    or pg_has_role(:anonymous::oid, role.oid, 'usage')
  )
)
select
  writable.oid::regclass::text as object,
  format('%s may %s, and its row-level security is off', :anonymous::oid::regrole, string_agg(writable.name, ', ' order by writable.name)) as finding
from writable
where not writable.is_secured
group by writable.oid
union all
select
  format('%s.%I', writable.oid::regclass, policy.name),
  format(
    '%s may %s by the policy, which asks nothing about the caller',
    :anonymous::oid::regrole,
    string_agg(writable.name, ', ' order by writable.name)
  )
from writable
join policy on policy.relation = writable.oid
where writable.is_secured
and policy.command in (writable.command, '*')
and policy.is_permissive
and not policy.asks
and policy.is_closed is not true
and not exists (
  select
  from policy as other
  where other.relation = writable.oid
  and other.command in (writable.command, '*')
  and not other.is_permissive
  and (other.asks or other.is_closed)
)
group by writable.oid, policy.name
