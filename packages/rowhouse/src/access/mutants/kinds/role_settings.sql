-- What the roles of the API are set to when they sign in, or when PostgREST takes them: each setting
-- gone, and the limit of a statement's time lifted, on the server and in this database alone.
with api_role as (
  select rolname::text as name, oid, rolconfig as config
  from pg_catalog.pg_roles
  where rolname = any (array(select unnest(roles || logins) from api))
),
held as (
  select
    api_role.name,
    split_part(setting, '=', 1) as setting,
    format(
      'alter role %I set %I = %s;',
      api_role.name,
      split_part(setting, '=', 1),
      -- A list is kept as it is to be written again.
      case
        when split_part(setting, '=', 1) in ('search_path', 'local_preload_libraries', 'session_preload_libraries', 'temp_tablespaces')
        then substring(setting from '=(.*)$')
        else quote_literal(substring(setting from '=(.*)$'))
      end
    ) as restored
  from api_role
  cross join unnest(api_role.config) as setting
)
select
  null::oid as oid,
  null::oid as namespace,
  'role setting dropped' as kind,
  held.name as object,
  format('alter role %I reset %I;', held.name, held.setting) as sql,
  held.restored as undo
from held
union all
select
  null,
  null,
  'other role setting',
  api_role.name,
  format('alter role %I set %I = %L;', api_role.name, changed.setting, changed.value),
  coalesce(held.restored, format('alter role %I reset %I;', api_role.name, changed.setting))
from api_role
cross join (values ('statement_timeout', '0'), ('search_path', 'public')) as changed (setting, value)
left join held
  on held.name = api_role.name
  and held.setting = changed.setting
union all
select
  null,
  null,
  'other role setting',
  api_role.name,
  format(
    e'do $$\nbegin\n  execute format(''alter role %I in database %%I set statement_timeout = 0'', current_database());\nend\n$$;',
    api_role.name
  ),
  -- It goes with the database.
  null
from api_role
order by object, kind, sql
