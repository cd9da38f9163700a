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
      select string_agg(role.name, ', ' order by role.name)
      from unnest(polroles) as member
      cross join lateral (select case member when 0 then 'public' else member::regrole::text end) as role (name)
    ),
    'using (' || pg_get_expr(polqual, polrelid) || ')',
    'with check (' || pg_get_expr(polwithcheck, polrelid) || ')'
  ) as definition
from pg_catalog.pg_policy
