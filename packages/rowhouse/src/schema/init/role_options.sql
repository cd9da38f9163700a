-- What no plan says of the roles $1: from PostgreSQL 16 on each membership has options of its own, where the
-- member's `inherit` is only what they begin with.
with held as (
  select
    membership.member,
    membership.roleid,
    coalesce(bool_or((to_jsonb(membership) ->> 'inherit_option')::boolean), bool_or(rolinherit)) as inherits,
    coalesce(bool_or((to_jsonb(membership) ->> 'set_option')::boolean), true) as can_become,
    bool_or(rolinherit) as inherits_by_default
  from pg_catalog.pg_auth_members as membership
  join pg_catalog.pg_roles on pg_roles.oid = membership.member
  where rolname = any ($1::text[])
  and membership.roleid not in (select oid from pg_catalog.pg_roles where rolname = any ($2::text[]))
  group by membership.member, membership.roleid
)
select
  format('grant %s to %s with inherit %s, set %s', roleid::regrole, member::regrole, inherits::text, can_become::text) as sql,
  member::regrole::text as role
from held
where inherits <> inherits_by_default
or not can_become
union all
select format('alter role %s connection limit %s', oid::regrole, rolconnlimit), oid::regrole::text
from pg_catalog.pg_roles
where rolname = any ($1::text[])
and rolconnlimit <> -1
union all
select format('alter role %s valid until %L', oid::regrole, rolvaliduntil), oid::regrole::text
from pg_catalog.pg_roles
where rolname = any ($1::text[])
and rolvaliduntil is not null
order by role, sql
