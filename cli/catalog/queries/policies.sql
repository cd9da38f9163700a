select
  oid,
  'policy' as kind,
  format('%I on %s', polname, polrelid::regclass) as name,
  format(
    '%s for %s to %s using (%s) with check (%s)',
    case when polpermissive then 'permissive' else 'restrictive' end,
    case polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
    (
      select string_agg(case role when 0 then 'public' else role::regrole::text end, ', ' order by role)
      from unnest(polroles) as role
    ),
    pg_get_expr(polqual, polrelid),
    pg_get_expr(polwithcheck, polrelid)
  ) as definition
from pg_catalog.pg_policy
