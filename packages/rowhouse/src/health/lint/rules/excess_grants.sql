-- level: warning
-- scope: convention
-- why: TRUNCATE and REFERENCES go past row-level security; TRIGGER, MAINTAIN, CREATE and TEMPORARY
--   are no request's business.
-- do: revoke ... from ...; what PUBLIC has by default is revoked in sql/database/privileges.sql.
-- cost: Each table, where a platform grants ALL to its roles: it is counted only. PostgREST runs
--   no TRUNCATE.
with object (name, schema, acl) as (
  select oid::regclass::text, relnamespace, coalesce(relacl, acldefault('r', relowner))
  from pg_catalog.pg_class
  where relkind in ('r', 'p', 'v', 'm', 'f')
  union all
  select format('%s.%I', attrelid::regclass, attname), relnamespace, attacl
  from pg_catalog.pg_attribute
  join pg_catalog.pg_class on pg_class.oid = attrelid
  where attacl is not null
  and not attisdropped
  union all
  select format('schema %I', nspname), oid, coalesce(nspacl, acldefault('n', nspowner))
  from pg_catalog.pg_namespace
  union all
  select
    concat('new ', case defaclobjtype when 'r' then 'tables' else 'schemas' end, ' in ' || nullif(defaclnamespace, 0)::regnamespace),
    defaclnamespace,
    defaclacl
  from pg_catalog.pg_default_acl
  where defaclobjtype in ('r', 'n')
  union all
  select 'the database', 0, coalesce(datacl, acldefault('d', datdba))
  from pg_catalog.pg_database
  where datname = current_database()
)
select
  object.name as object,
  format(
    '%s is granted to %s',
    acl.privilege_type,
    case acl.grantee when 0 then 'PUBLIC' else acl.grantee::regrole::text end
  ) as finding
from object
cross join aclexplode(object.acl) as acl
where acl.privilege_type in ('TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN', 'CREATE', 'TEMPORARY')
and (
  acl.grantee = 0
  or acl.grantee = any (:roles::oid[] || :logins::oid[])
)
and not exists (
  select
  from pg_catalog.pg_namespace
  where oid = object.schema
  and (nspname like 'pg\_%' or nspname = 'information_schema')
)
