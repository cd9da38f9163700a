-- The functions that a policy calls, and those that these call in turn: by what PostgreSQL records,
-- and by name where it does not read the body (a string, or another language).
with recursive ours as (
  select function.*, quote_ident(namespace.nspname) as schema_name, quote_ident(function.proname) as own_name
  from pg_catalog.pg_proc as function
  join pg_catalog.pg_namespace as namespace on namespace.oid = function.pronamespace
  where namespace.nspname !~ '^(pg_|information_schema$|tap$)'
),
call (caller_class, caller, callee_class, callee) as (
  select classid, objid, refclassid, refobjid
  from pg_catalog.pg_depend
  where classid in ('pg_policy'::regclass, 'pg_proc'::regclass, 'pg_operator'::regclass)
  and refclassid in ('pg_proc'::regclass, 'pg_operator'::regclass)
  union all
  select 'pg_proc'::regclass, caller.oid, 'pg_proc'::regclass, callee.oid
  from ours as caller
  join ours as callee
    on caller.prosrc ~ format(
      '(^|[^.\w"])(%s\.)?%s\s*\(',
      regexp_replace(callee.schema_name, '(\W)', '\\\1', 'g'),
      regexp_replace(callee.own_name, '(\W)', '\\\1', 'g')
    )
  where caller.prosqlbody is null
),
called (class, object) as (
  select callee_class, callee
  from call
  where caller_class = 'pg_policy'::regclass
  union
  select call.callee_class, call.callee
  from called
  join call
    on call.caller_class = called.class
    and call.caller = called.object
)
select
  function.oid,
  function.pronamespace as namespace,
  function.oid::regprocedure::text as name,
  language.lanname as language,
  function.prorettype = 'boolean'::regtype and not function.proretset as "isTest",
  pg_get_functiondef(function.oid) as definition,
  function.prosrc as source,
  pg_get_function_sqlbody(function.oid) as body,
  array_to_string(
    array(
      select substring(setting from '^search_path=(.*)$')
      from unnest(function.proconfig) as setting
      where setting like 'search\_path=%'
    ),
    ''
  ) as "searchPath"
from ours as function
join called
  on called.class = 'pg_proc'::regclass
  and called.object = function.oid
join pg_catalog.pg_language as language on language.oid = function.prolang
where function.prokind = 'f'
order by name
