-- What the role that PostgREST logs in as is given by settings of its own, in this database or in all;
-- PostgREST lets these win over its file. Roles belong to the server, so other projects' logins have such
-- settings, too: only one counts that can connect here and become the anonymous role, $1, or where that is
-- not known a role that a grant or a policy in this database names. $2 is the login where it is known. $3
-- says that the project's file names what is served: then it has to be the login that is PostgREST's here,
-- and where that is not known, none is.
with database (oid) as (
  select oid
  from pg_catalog.pg_database
  where datname = current_database()
),
-- A file whose anonymous role this server does not have is not about this database.
asked (anonymous, is_configured) as (
  select
    case when is_about then $1::text end,
    is_about and $3::boolean
  from (select $1::text is null or to_regrole(quote_ident($1)) is not null) as file (is_about)
),
given as (
  select
    setting.setrole as role,
    setting.setdatabase <> 0 as is_here,
    split_part(entry, '=', 1) as name,
    substr(entry, strpos(entry, '=') + 1) as value
  from pg_catalog.pg_db_role_setting as setting
  cross join unnest(setting.setconfig) as entry
  where entry like 'pgrst.%'
  and (setting.setdatabase = 0 or setting.setdatabase in (select oid from database))
),
-- The roles that a grant or a policy in this database names.
used as (
  select distinct refobjid as oid
  from pg_catalog.pg_shdepend
  where dbid in (select oid from database)
  and refclassid = 'pg_catalog.pg_authid'::regclass
  and deptype in ('a', 'r')
),
able as (
  select role.*
  from pg_catalog.pg_roles as role
  cross join asked
  where rolcanlogin
  and has_database_privilege(oid, current_database(), 'connect')
  and case
    when anonymous is not null then pg_has_role(oid, to_regrole(quote_ident(anonymous)), 'member')
    else
      not rolinherit
      and exists (select from used where used.oid <> role.oid and pg_has_role(role.oid, used.oid, 'member'))
  end
),
-- A superuser can become every role; one that inherits is a person's; one above another is a service's.
likely as (
  select oid, rolname
  from able
  where not rolsuper
  and (not rolinherit or not exists (select from able where not rolinherit and not rolsuper))
  and not exists (
    select
    from able as other
    where other.oid <> able.oid
    and not other.rolsuper
    and not pg_has_role(other.oid, able.oid, 'member')
    and pg_has_role(able.oid, other.oid, 'member')
  )
),
usual as (
  select oid
  from likely
  where rolname = 'authenticator'
  or (select count(*) from likely) = 1
),
login as (
  select role.oid
  from pg_catalog.pg_roles as role
  cross join asked
  where role.rolcanlogin
  and role.oid in (select role from given)
  and case
    when $2::text is not null then role.rolname = $2
    when not has_database_privilege(role.oid, current_database(), 'connect') then false
    -- Who sets something for this very database means it.
    when role.oid in (select role from given where is_here) then coalesce(
      pg_has_role(
        role.oid,
        to_regrole(
          quote_ident(
            coalesce((select value from given where given.role = role.oid and is_here and name = 'pgrst.db_anon_role'), anonymous)
          )
        ),
        'member'
      ),
      true
    )
    when is_configured and exists (select from likely) then role.oid in (select oid from usual)
    else role.oid in (select oid from able)
  end
  order by
    role.oid in (select role from given where is_here) desc,
    role.oid in (select oid from usual) desc,
    role.oid in (select oid from able) desc,
    role.rolname
  limit 1
)
select distinct on (given.name)
  replace(given.name, 'pgrst.', '') as name,
  given.value
from given
join login on login.oid = given.role
order by given.name, given.is_here desc
