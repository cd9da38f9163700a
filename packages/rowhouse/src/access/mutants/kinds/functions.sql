select
  function.oid,
  function.pronamespace as namespace,
  mutation.kind,
  function.oid::regprocedure::text as object,
  format(mutation.sql, function.oid::regprocedure) as sql
from pg_catalog.pg_proc as function
cross join (
  values
    (1, 'security definer', 'alter routine %s security definer;'),
    (2, 'open search path', 'alter routine %s reset search_path;')
) as mutation (position, kind, sql)
where function.prokind in ('f', 'p')
and (mutation.position <> 1 or not function.prosecdef)
and (
  mutation.position <> 2
  or exists (
    select
    from unnest(function.proconfig) as setting
    where setting like 'search_path=%'
  )
)
order by mutation.position, object
