-- What belongs to the database itself, which pg_restore leaves out: its grants and its settings.
-- The name is put in when they run: the restored one may be called otherwise.
with this as (
  select oid, datdba, coalesce(datacl, acldefault('d', datdba)) as acl
  from pg_catalog.pg_database
  where datname = current_database()
),
statement (step, template) as (
  select 1, 'revoke all on database %I from public'
  union all
  select
    2,
    format(
      'grant %s on database %%I to %s',
      lower(entry.privilege_type),
      case entry.grantee when 0 then 'public' else replace(entry.grantee::regrole::text, '%', '%%') end
    )
  from this
  cross join aclexplode(this.acl) as entry
  left join pg_catalog.pg_roles as role on role.oid = entry.grantee
  where entry.grantee <> this.datdba
  and not coalesce(role.rolsuper, false)
  union all
  select
    3,
    format(
      'alter database %%I set %I to %s',
      split_part(entry, '=', 1),
      replace(
        case
          when split_part(entry, '=', 1) <> 'search_path' then quote_literal(substr(entry, strpos(entry, '=') + 1))
          when entry in ('search_path=', 'search_path=""') then ''''''
          else substr(entry, strpos(entry, '=') + 1)
        end,
        '%',
        '%%'
      )
    )
  from this
  join pg_catalog.pg_db_role_setting as setting on setting.setdatabase = this.oid and setting.setrole = 0
  cross join unnest(setting.setconfig) as entry
)
select format('do $do$ begin execute format(%L, current_database()); end $do$;', template) as sql
from statement
order by step, template
