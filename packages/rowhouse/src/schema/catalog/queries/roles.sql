-- The roles of the API: PostgREST's login (api_login.sql), those that the reader asks for, and what they can become.
-- Roles belong to the whole server; others on it are none of ours. What PostgREST reads from the role's settings stays
-- out, and what looks like a secret.
with recursive api_role (oid) as (
  select oid
  from pg_catalog.pg_roles
  where oid in (select oid from api_login)
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
  jsonb_build_object(
    'role', role.oid::regrole::text,
    'login', role.rolcanlogin,
    'inherit', role.rolinherit,
    'superuser', role.rolsuper,
    'createRole', role.rolcreaterole,
    'createDatabase', role.rolcreatedb,
    'replication', role.rolreplication,
    'bypassRls', role.rolbypassrls,
    'connectionLimit', nullif(role.rolconnlimit, -1),
    'settings', (
      select coalesce(jsonb_agg(setting order by setting), '[]')
      from unnest(role.rolconfig) as setting
      where setting not like 'pgrst.%'
      and setting !~* (select pattern from secret)
    ),
    'memberOf', (
      select coalesce(jsonb_agg(member.roleid::regrole::text order by member.roleid::regrole::text), '[]')
      from pg_catalog.pg_auth_members as member
      where member.member = role.oid
      and member.roleid not in (select oid from platform)
    )
  ) as facts
from pg_catalog.pg_roles as role
join api_role on api_role.oid = role.oid
