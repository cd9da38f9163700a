-- why: SUPERUSER, BYPASSRLS and REPLICATION are past all policies, CREATEROLE hands rights out, and
--   every role that a role is a member of lends it its rights.
-- do: alter role ... nosuperuser nobypassrls ...; revoke ... from ...
select
  role.rolname::text as object,
  format('the role has %s', power.name) as finding
from pg_catalog.pg_roles as role
cross join lateral (
  values
    ('SUPERUSER', role.rolsuper),
    ('BYPASSRLS', role.rolbypassrls),
    ('CREATEROLE', role.rolcreaterole),
    ('CREATEDB', role.rolcreatedb),
    ('REPLICATION', role.rolreplication),
    ('LOGIN', role.rolcanlogin and role.rolname <> 'authenticator')
) as power (name, held)
where role.rolname in ('anonymous', 'authenticated', 'authenticator')
and power.held
union all
select
  member.member::regrole::text,
  format('the role is a member of %s', member.roleid::regrole)
from pg_catalog.pg_auth_members as member
where member.member::regrole::text in ('anonymous', 'authenticated')
or (
  member.member::regrole::text = 'authenticator'
  and member.roleid::regrole::text not in ('anonymous', 'authenticated')
)
