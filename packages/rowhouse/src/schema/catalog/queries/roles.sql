-- The roles of the API: authenticator, those that the reader asks for, and what they can become.
-- Roles belong to the whole server; others on it are none of ours. Secrets that PostgREST reads from the role's settings stay out.
with recursive api_role (oid) as (
  select oid
  from pg_catalog.pg_roles
  where rolname = 'authenticator'
  or coalesce(nullif(current_setting('rowhouse.roles', true), ''), '[]')::jsonb ? rolname
  union
  select member.roleid
  from pg_catalog.pg_auth_members as member
  join api_role on api_role.oid = member.member
)
select
  role.oid,
  'role' as kind,
  role.rolname as name,
  concat_ws(
    ' ',
    case when role.rolcanlogin then 'login' else 'nologin' end,
    case when role.rolinherit then 'inherit' else 'noinherit' end,
    case when role.rolsuper then 'superuser' end,
    case when role.rolcreaterole then 'createrole' end,
    case when role.rolcreatedb then 'createdb' end,
    case when role.rolreplication then 'replication' end,
    case when role.rolbypassrls then 'bypassrls' end,
    'connection limit ' || nullif(role.rolconnlimit, -1),
    'set ' || (
      select string_agg(setting, ', ' order by setting)
      from unnest(role.rolconfig) as setting
      where setting not like 'pgrst.%'
    ),
    'member of ' || (
      select string_agg(member.roleid::regrole::text, ', ' order by member.roleid::regrole::text)
      from pg_catalog.pg_auth_members as member
      where member.member = role.oid
    )
  ) as definition
from pg_catalog.pg_roles as role
join api_role on api_role.oid = role.oid
