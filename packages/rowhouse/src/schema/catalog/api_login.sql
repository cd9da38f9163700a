-- The roles that PostgREST can log in as for this database. Roles belong to the server, and another project's login
-- has nothing to do here: one counts that can connect, and become a role which a grant or a policy of this database
-- names. The usual one is called authenticator; one of another name inherits nothing.
with database (oid) as (
  select oid
  from pg_catalog.pg_database
  where datname = current_database()
),
used (oid) as (
  select distinct refobjid
  from pg_catalog.pg_shdepend
  where dbid in (select oid from database)
  and refclassid = 'pg_catalog.pg_authid'::regclass
  and deptype in ('a', 'r')
),
candidate as (
  select
    oid,
    rolname = 'authenticator' as is_usual
  from pg_catalog.pg_roles as role
  where (rolname = 'authenticator' or rolcanlogin and not rolinherit and not rolsuper)
  and has_database_privilege(oid, current_database(), 'connect')
  and exists (select from used where pg_has_role(role.oid, used.oid, 'member'))
)
select oid
from candidate
where is_usual
or not exists (select from candidate where is_usual)
