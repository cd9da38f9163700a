-- What is the platform's and not the project's: all in its schemas, but for policies on its tables and
-- triggers that run functions of the project; its extensions and roles, and what belongs to those roles.
-- $1 are the schemas, $2 the roles, $3 the extensions.
with names (schemas, roles, extensions) as (
  select $1::text[], $2::text[], $3::text[]
),
schema (oid) as (
  select pg_namespace.oid
  from pg_catalog.pg_namespace
  join names on nspname = any (schemas)
),
role (oid) as (
  select pg_roles.oid
  from pg_catalog.pg_roles
  join names on rolname = any (roles)
),
class (oid) as (
  select pg_class.oid
  from pg_catalog.pg_class
  join schema on schema.oid = relnamespace
)
select oid from schema
union all
select oid from role
union all
select oid from class
union all
select pg_proc.oid from pg_catalog.pg_proc join schema on schema.oid = pronamespace
union all
select pg_type.oid from pg_catalog.pg_type join schema on schema.oid = typnamespace
union all
select pg_constraint.oid from pg_catalog.pg_constraint join schema on schema.oid = connamespace
union all
select pg_rewrite.oid from pg_catalog.pg_rewrite join class on class.oid = ev_class
union all
select pg_trigger.oid
from pg_catalog.pg_trigger
join class on class.oid = tgrelid
join pg_catalog.pg_proc on pg_proc.oid = tgfoid
join schema on schema.oid = pronamespace
union all
select pg_policy.oid
from pg_catalog.pg_policy
join class on class.oid = polrelid
join pg_catalog.pg_depend on objid = polrelid and deptype = 'e'
union all
select pg_operator.oid from pg_catalog.pg_operator join schema on schema.oid = oprnamespace
union all
select pg_opclass.oid from pg_catalog.pg_opclass join schema on schema.oid = opcnamespace
union all
select pg_opfamily.oid from pg_catalog.pg_opfamily join schema on schema.oid = opfnamespace
union all
select pg_collation.oid from pg_catalog.pg_collation join schema on schema.oid = collnamespace
union all
select pg_statistic_ext.oid from pg_catalog.pg_statistic_ext join schema on schema.oid = stxnamespace
union all
select pg_ts_config.oid from pg_catalog.pg_ts_config join schema on schema.oid = cfgnamespace
union all
select pg_ts_dict.oid from pg_catalog.pg_ts_dict join schema on schema.oid = dictnamespace
union all
select pg_extension.oid from pg_catalog.pg_extension join names on extname = any (extensions)
union all
select pg_default_acl.oid
from pg_catalog.pg_default_acl
where defaclnamespace in (select oid from schema)
or defaclrole in (select oid from role)
union all
select pg_event_trigger.oid
from pg_catalog.pg_event_trigger
where evtowner in (select oid from role)
or evtfoid in (select pg_proc.oid from pg_catalog.pg_proc join schema on schema.oid = pronamespace)
union all
select pg_publication.oid from pg_catalog.pg_publication join role on role.oid = pubowner
