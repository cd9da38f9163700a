-- Each policy in pieces, names and texts quoted, to be put together again with one of them changed.
select
  policy.oid,
  class.relnamespace as namespace,
  quote_ident(policy.polname) as name,
  class.oid::regclass::text as "table",
  case when policy.polpermissive then 'permissive' else 'restrictive' end as mode,
  case policy.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end as command,
  array(
    select case role when 0 then 'public' else role::regrole::text end
    from unnest(policy.polroles) as role
    order by role
  ) as roles,
  (select quote_ident(anonymous) from api) as anonymous,
  pg_get_expr(policy.polqual, policy.polrelid) as "using",
  pg_get_expr(policy.polwithcheck, policy.polrelid) as "check",
  quote_literal(obj_description(policy.oid, 'pg_policy')) as comment
from pg_catalog.pg_policy as policy
join pg_catalog.pg_class as class on class.oid = policy.polrelid
order by class.oid::regclass::text, policy.polname
