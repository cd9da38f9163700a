select
  policy.oid,
  'policy' as kind,
  format('%I on %s', polname, polrelid::regclass) as name,
  jsonb_build_object(
    'policy', quote_ident(polname),
    'table', polrelid::regclass::text,
    'permissive', polpermissive,
    'command', case polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
    'roles', (
      select jsonb_agg(role.name order by role.name)
      from unnest(polroles) as member
      cross join lateral (select case member when 0 then 'public' else member::regrole::text end) as role (name)
    ),
    'using', pg_get_expr(polqual, polrelid),
    'check', pg_get_expr(polwithcheck, polrelid),
    'needs', (
      select coalesce(jsonb_agg(distinct needed.name), '[]')
      from pg_catalog.pg_depend
      cross join lateral (
        select case
          when refclassid = 'pg_proc'::regclass then 'function ' || refobjid::regprocedure
          when refclassid = 'pg_type'::regclass then 'type ' || refobjid::regtype
          when refclassid = 'pg_class'::regclass and refobjsubid = 0 then 'table ' || refobjid::regclass
          when refclassid = 'pg_class'::regclass then (
            select format('column %s.%I', attrelid::regclass, attname)
            from pg_catalog.pg_attribute
            where attrelid = refobjid
            and attnum = refobjsubid
          )
        end
      ) as needed (name)
      where classid = 'pg_policy'::regclass
      and objid = policy.oid
      and needed.name is not null
    )
  ) as facts
from pg_catalog.pg_policy as policy
