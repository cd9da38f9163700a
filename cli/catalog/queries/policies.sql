select
  oid,
  'policy' as kind,
  format('%I on %s', polname, polrelid::regclass) as name,
  concat_ws(
    ' ',
    case when polpermissive then 'permissive' else 'restrictive' end,
    'for',
    case polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
    'to',
    (
      select string_agg(case role when 0 then 'public' else role::regrole::text end, ', ' order by role)
      from unnest(polroles) as role
    ),
    'using (' || pg_get_expr(polqual, polrelid) || ')',
    'with check (' || pg_get_expr(polwithcheck, polrelid) || ')'
  ) as definition
from pg_catalog.pg_policy
