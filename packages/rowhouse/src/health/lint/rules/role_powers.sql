-- level: error
-- why: SUPERUSER, BYPASSRLS and REPLICATION are past all policies, CREATEROLE hands rights out, and
--   every role that a role is a member of lends it its rights: a token can name it.
-- do: alter role ... nosuperuser nobypassrls ...; revoke ... from ...
-- cost: One on Supabase: service_role has BYPASSRLS, as that platform means it. Switch it off for
--   that role, with the reason.
select
  role.oid::regrole::text as object,
  format('the role has %s', power.name) as finding
from pg_catalog.pg_roles as role
cross join lateral (
  values
    ('SUPERUSER', role.rolsuper),
    ('BYPASSRLS', role.rolbypassrls),
    ('CREATEROLE', role.rolcreaterole),
    ('CREATEDB', role.rolcreatedb),
    ('REPLICATION', role.rolreplication),
    ('LOGIN', role.rolcanlogin and role.oid <> all (:logins::oid[]))
) as power (name, held)
-- What PostgreSQL brings is named as a membership.
where role.oid = any (:all_roles::oid[] || :logins::oid[])
and role.oid >= 16384
and power.held
union all
select
  member.member::regrole::text,
  format('the role is a member of %s', member.roleid::regrole)
from pg_catalog.pg_auth_members as member
where member.member = any (:roles::oid[])
or (
  member.member = any (:logins::oid[])
  and member.roleid not in (:anonymous::oid, :user::oid)
  -- Elsewhere there may be more roles than two: one that owns tables is past their policies.
  and (
    :follows_conventions::boolean
    or member.roleid < 16384
    or exists (
      select
      from pg_catalog.pg_class as class
      where class.relnamespace = any (:schemas::oid[])
      and class.relowner = member.roleid
    )
  )
)
