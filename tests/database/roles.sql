-- The roles: what they are, and what they can never become.
begin;
set local search_path = tap, public;
select plan(16);

select is(
  array(
    select concat_ws(
      ' ',
      rolname,
      case when rolcanlogin then 'login' end,
      case when rolinherit then 'inherit' end,
      case when rolsuper then 'superuser' end,
      case when rolbypassrls then 'bypassrls' end,
      case when rolcreaterole then 'createrole' end,
      case when rolcreatedb then 'createdb' end,
      case when rolreplication then 'replication' end
    )
    from pg_roles
    where rolname in ('anonymous', 'authenticated', 'authenticator')
    order by rolname
  ),
  array['anonymous', 'authenticated', 'authenticator login'],
  'The authenticator signs in; beyond that no API role has any power over the server'
);

select is(
  array(
    select concat_ws(
      ' ',
      member::regrole::text,
      'is a member of',
      roleid::regrole::text,
      case when admin_option then 'with admin option' end
    )
    from pg_auth_members
    where member::regrole::text in ('anonymous', 'authenticated', 'authenticator')
    order by 1
  ),
  array[
    'authenticator is a member of anonymous',
    'authenticator is a member of authenticated'
  ],
  'The authenticator can become anonymous and authenticated alone, and those two no other role'
);

select is(
  array(
    select rolname || ': ' || setting
    from pg_roles
    cross join unnest(rolconfig) as setting
    where rolname in ('anonymous', 'authenticated', 'authenticator')
    order by 1
  ),
  array[
    'anonymous: statement_timeout=5s',
    'authenticated: statement_timeout=5s',
    'authenticator: plan_cache_mode=force_generic_plan'
  ],
  'No statement of a request runs longer than five seconds, and none is planned for each request anew'
);

select is_empty(
  $$
    select rolname, setdatabase, setconfig
    from pg_db_role_setting
    join pg_roles on pg_roles.oid = setrole
    where setdatabase <> 0 and rolname in ('anonymous', 'authenticated', 'authenticator')
  $$,
  'No single database sets another limit'
);

-- What the roles own and hold

select is_empty(
  $$
    select classid::regclass, objid, deptype
    from pg_shdepend
    where refclassid = 'pg_authid'::regclass
    and dbid in (0, (select oid from pg_database where datname = current_database()))
    and refobjid::regrole::text in ('anonymous', 'authenticated', 'authenticator')
    and deptype = 'o'
  $$,
  'The API roles own nothing'
);

select is_empty(
  $$
    select classid::regclass, objid
    from pg_shdepend
    where refclassid = 'pg_authid'::regclass
    and dbid in (0, (select oid from pg_database where datname = current_database()))
    and refobjid = 'authenticator'::regrole
    and deptype = 'a'
  $$,
  'The authenticator holds no privilege of its own'
);

create temporary table api_role as
select role
from unnest(array['anonymous', 'authenticated', 'authenticator']) as role;

select is_empty(
  $$
    select role, relname, privilege
    from api_role
    cross join pg_class
    cross join unnest(array['truncate', 'references', 'trigger']) as privilege
    where relnamespace::regnamespace::text in ('api', 'private', 'request', 'public')
    and relkind in ('r', 'p', 'v', 'm', 'f')
    and has_table_privilege(role, pg_class.oid, privilege)
  $$,
  'No API role may truncate a table, reference it or put a trigger on it'
);

select is_empty(
  $$
    select role, relname, attname
    from api_role
    cross join pg_class
    join pg_attribute on attrelid = pg_class.oid
    where relnamespace::regnamespace::text in ('api', 'private', 'request', 'public')
    and relkind in ('r', 'p', 'v', 'm', 'f')
    and attnum > 0
    and not attisdropped
    and has_column_privilege(role, pg_class.oid, attnum, 'references')
  $$,
  'No API role may reference a column'
);

select is_empty(
  $$
    select role, nspname
    from api_role
    cross join pg_namespace
    where nspname not like 'pg_temp%'
    and has_schema_privilege(role, pg_namespace.oid, 'create')
  $$,
  'No API role may create anything in any schema'
);

select is_empty(
  $$
    select role
    from api_role
    where has_database_privilege(role, current_database(), 'create')
  $$,
  'No API role may create a schema'
);

-- PostgREST signs in as authenticator, and becomes the role that the token names

set local session authorization authenticator;
set local role anonymous;

select lives_ok('set local role authenticated', 'The authenticator becomes authenticated');

select lives_ok('set local role anonymous', 'The authenticator becomes anonymous');

select throws_ok(
  format('set local role %I', role),
  '42501', format('permission denied to set role "%s"', role),
  'The authenticator cannot become ' || role
)
from unnest(
  array['pg_read_all_data', 'pg_write_all_data', 'pg_execute_server_program']
) as role;

select throws_ok(
  format('set local role %I', tableowner),
  '42501', format('permission denied to set role "%s"', tableowner),
  'The authenticator cannot become the owner of the tables'
)
from pg_tables
where schemaname = 'api' and tablename = 'users';

reset session authorization;
select * from finish();
rollback;
