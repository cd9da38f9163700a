select
  defaults.oid,
  'default privilege' as kind,
  format(
    'for %s on %s in %s',
    case acl.grantee when 0 then 'public' when defaults.defaclrole then 'owner' else acl.grantee::regrole::text end,
    case defaults.defaclobjtype
      when 'r' then 'tables'
      when 'S' then 'sequences'
      when 'f' then 'functions'
      when 'T' then 'types'
      when 'n' then 'schemas'
    end,
    case defaults.defaclnamespace when 0 then 'every schema' else defaults.defaclnamespace::regnamespace::text end
  ) as name,
  acl.privilege_type || case when acl.is_grantable then ' with grant option' else '' end as definition
from pg_catalog.pg_default_acl as defaults
cross join aclexplode(defaults.defaclacl) as acl
