-- What looks like a secret ($1), by its name alone: settings of roles and functions, options of foreign servers
-- and tables. What is of the platform's schemas ($2), or of an extension, is not looked at.
with named (oid, owner, what, entry) as (
  select 0, coalesce('role ' || nullif(setrole, 0)::regrole, 'all roles'), 'setting', setting
  from pg_catalog.pg_db_role_setting
  cross join unnest(setconfig) as setting
  where setdatabase in (0, (select oid from pg_catalog.pg_database where datname = current_database()))
  union all
  select pg_proc.oid, 'function ' || (pg_identify_object('pg_proc'::regclass, pg_proc.oid, 0)).identity, 'setting', setting
  from pg_catalog.pg_proc
  cross join unnest(proconfig) as setting
  where pronamespace not in (select oid from pg_catalog.pg_namespace where nspname = any ($2))
  union all
  select oid, 'foreign data wrapper ' || quote_ident(fdwname), 'option', option
  from pg_catalog.pg_foreign_data_wrapper
  cross join unnest(fdwoptions) as option
  union all
  select oid, 'server ' || quote_ident(srvname), 'option', option
  from pg_catalog.pg_foreign_server
  cross join unnest(srvoptions) as option
  union all
  select ftrelid, 'foreign table ' || (pg_identify_object('pg_class'::regclass, ftrelid, 0)).identity, 'option', option
  from pg_catalog.pg_foreign_table
  cross join unnest(ftoptions) as option
)
select format('%s %s', what, split_part(entry, '=', 1)) as what, owner
from named
where entry ~* $1
and not exists (select from pg_catalog.pg_depend as member where member.objid = named.oid and member.deptype = 'e')
order by 1, 2
