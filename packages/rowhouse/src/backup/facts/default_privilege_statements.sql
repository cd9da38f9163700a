-- The privileges that new objects get. pg_dump names the role that they belong to, who need not be
-- where the dump is restored: they become those of the restoring role, as everything does.
with entry as (
  select
    case when defaclnamespace <> 0 then format('in schema %s ', defaclnamespace::regnamespace) end as place,
    defaclnamespace = 0 as is_global,
    case defaclobjtype
      when 'r' then 'tables'
      when 'S' then 'sequences'
      when 'f' then 'functions'
      when 'T' then 'types'
      when 'n' then 'schemas'
      when 'L' then 'large objects'
    end as objects,
    defaclrole,
    defaclacl
  from pg_catalog.pg_default_acl
),
statement (step, sql) as (
  select distinct 1, format('alter default privileges revoke all on %s from public;', objects)
  from entry
  where is_global
  union
  select
    2,
    format(
      'alter default privileges %sgrant %s on %s to %s%s;',
      place,
      lower(acl.privilege_type),
      objects,
      case acl.grantee when 0 then 'public' else acl.grantee::regrole::text end,
      case when acl.is_grantable then ' with grant option' end
    )
  from entry
  cross join aclexplode(defaclacl) as acl
  where acl.grantee <> defaclrole
)
select sql
from statement
order by step, sql
