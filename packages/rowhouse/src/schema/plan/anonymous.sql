-- The roles of a request without a token, as SQL writes them: those that PostgREST is configured with ($1, and
-- the settings of the roles and of the database), and those that they are members of.
with recursive public_role (oid) as (
  select oid
  from pg_catalog.pg_roles
  where rolname = $1
  or rolname in (
    select substr(setting, strpos(setting, '=') + 1)
    from pg_catalog.pg_db_role_setting
    cross join unnest(setconfig) as setting
    where setting like 'pgrst.db\_anon\_role=%'
    and setdatabase in (0, (select oid from pg_catalog.pg_database where datname = current_database()))
  )
  union
  select member.roleid
  from pg_catalog.pg_auth_members as member
  join public_role on public_role.oid = member.member
)
select oid::regrole::text as name
from public_role
