-- What conditions can call or read: functions, tables and views, with all that decides what they
-- give to a role of the API.
select
  'function' as kind,
  nspname as schema,
  function.proname as name,
  concat_ws(E'\n', pg_get_functiondef(function.oid), role.may) as definition,
  language.lanname not in ('sql', 'plpgsql') as opaque,
  role.names as "usableBy"
from pg_catalog.pg_proc as function
join pg_catalog.pg_namespace as namespace
  on namespace.oid = function.pronamespace
join pg_catalog.pg_language as language
  on language.oid = function.prolang
cross join lateral (
  select
    coalesce(json_agg(rolname order by rolname), '[]') as names,
    string_agg(rolname, ', ' order by rolname) as may
  from pg_catalog.pg_roles
  where rolname in ('anonymous', 'authenticated')
  and has_function_privilege(rolname, function.oid, 'execute')
) as role
where function.prokind in ('f', 'p')
and nspname <> 'information_schema'
and nspname not like 'pg\_%'
union all
select
  'relation',
  nspname,
  class.relname,
  concat_ws(
    E'\n',
    class.relkind,
    class.relrowsecurity,
    class.reloptions,
    case when class.relkind in ('v', 'm') then pg_get_viewdef(class.oid) end,
    (
      select string_agg(
        concat_ws(
          ' ',
          policy.polpermissive,
          array(
            select case oid when 0 then 'public' else oid::regrole::text end
            from unnest(policy.polroles) as oid
            order by 1
          ),
          pg_get_expr(policy.polqual, policy.polrelid)
        ),
        E'\n'
        order by policy.polname
      )
      from pg_catalog.pg_policy as policy
      where policy.polrelid = class.oid
      and policy.polcmd in ('r', '*')
    ),
    (
      select string_agg(rolname, ', ' order by rolname)
      from pg_catalog.pg_roles
      where rolname in ('anonymous', 'authenticated')
      and has_any_column_privilege(rolname, class.oid, 'select')
    )
  ),
  false,
  '[]'
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace
  on namespace.oid = class.relnamespace
where class.relkind in ('r', 'p', 'f', 'v', 'm')
and nspname <> 'information_schema'
and nspname not like 'pg\_%'
order by 1, 2, 3, 4
