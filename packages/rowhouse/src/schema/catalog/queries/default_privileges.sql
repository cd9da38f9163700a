with held as (
  select
    defaults.oid,
    case acl.grantee when 0 then 'public' when defaults.defaclrole then 'owner' else acl.grantee::regrole::text end as role,
    acl.grantee = defaults.defaclrole as own,
    case defaults.defaclobjtype
      when 'r' then 'tables'
      when 'S' then 'sequences'
      when 'f' then 'functions'
      when 'T' then 'types'
      when 'n' then 'schemas'
    end as objects,
    case when defaults.defaclnamespace <> 0 then defaults.defaclnamespace::regnamespace::text end as schema,
    acl.privilege_type as privilege,
    acl.is_grantable as grantable
  from pg_catalog.pg_default_acl as defaults
  cross join aclexplode(defaults.defaclacl) as acl
  -- What an owner may by itself: PostgreSQL 15 and 16 do not know it.
  where not (acl.grantee = defaults.defaclrole and acl.privilege_type = 'MAINTAIN')
)
select
  oid,
  'default privilege' as kind,
  format('for %s on %s in %s', role, objects, coalesce(schema, 'every schema')) as name,
  to_jsonb(held) - 'oid' as facts
from held
