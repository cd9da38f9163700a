-- The statements that make the roles which this database needs: the API's, and those that a grant or
-- a policy names. No passwords: only a superuser may read them. A role that is there already stays
-- as it is.
with recursive api_role (oid) as (
  select oid
  from api_login
  union
  select member.roleid
  from pg_catalog.pg_auth_members as member
  join api_role on api_role.oid = member.member
),
needed (oid) as (
  select oid
  from api_role
  union
  select refobjid
  from pg_catalog.pg_shdepend
  where dbid = (select oid from pg_catalog.pg_database where datname = current_database())
  and refclassid = 'pg_catalog.pg_authid'::regclass
  and deptype in ('a', 'r')
),
role as (
  select pg_roles.*
  from pg_catalog.pg_roles
  join needed using (oid)
  where rolname !~ '^pg_'
  and not rolsuper
),
statement (step, sql) as (
  select
    1,
    format(
      'do $do$ begin if not exists (select from pg_catalog.pg_roles where rolname = %L) then create role %I %s; end if; end $do$;',
      rolname,
      rolname,
      concat_ws(
        ' ',
        case when rolcanlogin then 'login' else 'nologin' end,
        case when rolinherit then 'inherit' else 'noinherit' end,
        case when rolcreaterole then 'createrole' end,
        case when rolcreatedb then 'createdb' end,
        case when rolreplication then 'replication' end,
        case when rolbypassrls then 'bypassrls' end,
        'connection limit ' || nullif(rolconnlimit, -1)
      )
    )
  from role
  union all
  select
    2,
    format(
      'do $do$ begin if not exists (select from pg_catalog.pg_auth_members where roleid = %L::regrole and member = %L::regrole) then grant %I to %I; end if; end $do$;',
      quote_ident(parent.rolname),
      quote_ident(child.rolname),
      parent.rolname,
      child.rolname
    )
  from pg_catalog.pg_auth_members as member
  join role as parent on parent.oid = member.roleid
  join role as child on child.oid = member.member
  union all
  select
    3,
    format(
      'do $do$ begin if not exists (select from pg_catalog.pg_db_role_setting where setrole = %L::regrole and setdatabase = %s and %L = any (setconfig)) then execute format(%L, current_database()); end if; end $do$;',
      quote_ident(role.rolname),
      case
        when setting.setdatabase <> 0 then '(select oid from pg_catalog.pg_database where datname = current_database())'
        else '0'
      end,
      entry,
      format(
        'alter role %s %s set %I to %s',
        replace(quote_ident(role.rolname), '%', '%%'),
        case when setting.setdatabase <> 0 then 'in database %I' end,
        split_part(entry, '=', 1),
        replace(
          case
            -- A list of names, which is written as it stands.
            when split_part(entry, '=', 1) <> 'search_path' then quote_literal(substr(entry, strpos(entry, '=') + 1))
            when entry in ('search_path=', 'search_path=""') then ''''''
            else substr(entry, strpos(entry, '=') + 1)
          end,
          '%',
          '%%'
        )
      )
    )
  from pg_catalog.pg_db_role_setting as setting
  join role on role.oid = setting.setrole
  cross join unnest(setting.setconfig) as entry
  where setting.setdatabase = 0
  or setting.setdatabase = (select oid from pg_catalog.pg_database where datname = current_database())
)
select sql
from statement
order by step, sql
