-- What the roles of the API have beside their definition: see roles.sql. Settings of the database
-- itself count for all roles. What is not of this database's making goes without the oid of the role.
with recursive api_role (oid) as (
  select oid
  from api_login
  union
  select member.roleid
  from pg_catalog.pg_auth_members as member
  join api_role on api_role.oid = member.member
  where member.roleid not in (select oid from platform)
),
role (oid, name) as (
  select oid, 'role ' || oid::regrole
  from api_role
  union all
  select 0, 'all roles'
)
select
  16384 as oid,
  'setting' as kind,
  format('%s of %s in this database', split_part(setting, '=', 1), role.name) as name,
  substr(setting, strpos(setting, '=') + 1) as definition
from pg_catalog.pg_db_role_setting
join pg_catalog.pg_database on pg_database.oid = setdatabase
join role on role.oid = setrole
cross join unnest(setconfig) as setting
where datname = current_database()
and setting not like 'pgrst.%'
and setting !~* (select pattern from secret)
union all
select
  16384,
  'property',
  'end of role ' || pg_roles.oid::regrole,
  rolvaliduntil::text
from pg_catalog.pg_roles
join api_role on api_role.oid = pg_roles.oid
where rolvaliduntil is not null
union all
select
  16384,
  'property',
  format('membership of %s in %s', membership.member::regrole, membership.roleid::regrole),
  concat_ws(
    ', ',
    case when admin_option then 'with admin option' end,
    case when to_jsonb(membership) ->> 'set_option' = 'false' then 'without set' end,
    case when (to_jsonb(membership) ->> 'inherit_option')::boolean <> rolinherit then 'inherit ' || (to_jsonb(membership) ->> 'inherit_option') end
  )
from pg_catalog.pg_auth_members as membership
join api_role on api_role.oid = membership.member
join pg_catalog.pg_roles on pg_roles.oid = membership.member
where membership.roleid not in (select oid from platform)
and (
  admin_option
  or to_jsonb(membership) ->> 'set_option' = 'false'
  or (to_jsonb(membership) ->> 'inherit_option')::boolean <> rolinherit
)
union all
select 16384, 'comment', 'role ' || objoid::regrole, description
from pg_catalog.pg_shdescription
join api_role on api_role.oid = objoid
where classoid = 'pg_authid'::regclass
union all
select 16384, 'security label', format('role %s by %I', objoid::regrole, provider), label
from pg_catalog.pg_shseclabel
join api_role on api_role.oid = objoid
where classoid = 'pg_authid'::regclass
