-- The schemas, and what holds for everything in them: a new table or function that breaks a
-- convention fails here.
begin;
set local search_path = tap, public;
select plan(27);

create temporary view our_relations as
select pg_class.oid, relname, relkind, relrowsecurity, relforcerowsecurity, reloptions, nspname
from pg_class
join pg_namespace on pg_namespace.oid = relnamespace
where nspname in ('api', 'request', 'private');

create temporary view our_functions as
select pg_proc.*, nspname, format('%s.%s(%s)', nspname, proname, oidvectortypes(proargtypes)) as name
from pg_proc
join pg_namespace on pg_namespace.oid = pronamespace
where nspname in ('api', 'request', 'private');

-- Schemas

select is(
  array(
    select concat_ws(
      ' ',
      coalesce(nullif(grantee, 0)::regrole::text, 'public'),
      lower(privilege_type),
      nspname
    )
    from pg_namespace
    cross join aclexplode(coalesce(nspacl, acldefault('n', nspowner)))
    where nspname in ('api', 'request', 'private') and grantee <> nspowner
    order by 1
  ),
  array[
    'anonymous usage request',
    'authenticated usage api',
    'authenticated usage request',
    'identity_service usage api',
    'identity_service usage request'
  ],
  'Users and the sign-in service may use api and request, anonymous request alone, and no role private'
);

select is_empty(
  $$
    select nspname
    from pg_namespace
    where nspname in ('api', 'request', 'private')
    and obj_description(oid, 'pg_namespace') is null
  $$,
  'Every schema says what it is for'
);

set local role authenticated;

select throws_ok(
  'select private.step_updated_at()',
  '42501', 'permission denied for schema private',
  'A user cannot name anything in private'
);

set local role anonymous;

select throws_ok(
  statement,
  '42501', 'permission denied for schema ' || closed,
  'Anonymous cannot name anything in ' || closed
)
from (
  values
    ('private', 'select private.step_updated_at()'),
    ('api', 'select id from api.users')
) as attempt (closed, statement);

reset role;

-- Functions

select is_empty(
  $$
    select coalesce(nullif(grantee, 0)::regrole::text, 'public'), name
    from our_functions
    cross join aclexplode(coalesce(proacl, acldefault('f', proowner)))
    where grantee <> proowner
    and not (nspname = 'api' and grantee = 'authenticated'::regrole)
    and not (nspname = 'request' and grantee in ('anonymous'::regrole, 'authenticated'::regrole))
    and grantee <> 'identity_service'::regrole
  $$,
  'Users may execute functions of api and request, anonymous those of request alone'
);

create function api.probe()
returns void
language sql
as '';

select ok(
  not has_function_privilege(role, 'api.probe()', 'execute'),
  format('A new function is not executable by %s until it is granted', role)
)
from unnest(array['anonymous', 'authenticated', 'authenticator']) as role;

drop function api.probe();

create table api.probe ();
create sequence api.probe_numbers;
create schema probe;

select is_empty(
  format('select grantee, privilege_type from aclexplode(%L) where grantee <> grantor', acl),
  format('A new %s is open to no role until it is granted', thing)
)
from (
  select 'table', relacl
  from pg_class
  where oid = 'api.probe'::regclass
  union all
  select 'sequence', relacl
  from pg_class
  where oid = 'api.probe_numbers'::regclass
  union all
  select 'schema', nspacl
  from pg_namespace
  where nspname = 'probe'
) as made (thing, acl);

drop schema probe;
drop sequence api.probe_numbers;
drop table api.probe;

-- A policy may ask such a function for a membership: it names the caller itself, and its body is no
-- string, so that PostgreSQL records what it refers to.
create temporary view membership_functions as
select *
from our_functions
where prosecdef
and nspname = 'request'
and proname like 'is\_member\_of\_%'
and prorettype = 'boolean'::regtype
and not proretset
and provolatile = 's'
and 'search_path=""' = any (coalesce(proconfig, '{}'))
and exists (
  select
  from pg_depend
  where objid = our_functions.oid and refobjid = 'request.user_id()'::regprocedure
);

select is_empty(
  'select name from our_functions where prosecdef except select name from membership_functions',
  'No function acts with the rights of its owner, but one that asks whether the caller is a member'
);

select is_empty(
  $$
    select name
    from our_functions
    where (prolang = (select oid from pg_language where lanname = 'plpgsql') or nspname = 'api')
    and not ('search_path=""' = any (coalesce(proconfig, '{}')))
  $$,
  'Every function that is not inlined has an empty search path'
);

select is_empty(
  $$
    select name
    from our_functions
    where nspname = 'api' and prosrc ~* '\m(set_config|execute|set)\M'
  $$,
  'No function that clients call sets a setting or runs a string'
);

-- Tables

select is_empty(
  $$
    select relname
    from our_relations
    where relkind in ('r', 'p')
    and not (
      relrowsecurity
      and (
        relforcerowsecurity
        or exists (
          select
          from pg_depend
          join membership_functions on membership_functions.oid = objid
          where refobjid = our_relations.oid
        )
      )
    )
  $$,
  'Every table has row-level security, forced on its owner unless a membership test reads it'
);

select is_empty(
  $$select relname from our_relations where nspname <> 'api' and relkind in ('r', 'p')$$,
  'Every table is in api'
);

select is_empty(
  $$
    select relname
    from our_relations
    where relkind in ('m', 'f')
    or (relkind = 'v' and not ('security_invoker=true' = any (coalesce(reloptions, '{}'))))
  $$,
  'No view or foreign table bypasses the policies'
);

select is_empty(
  $$
    select conname
    from pg_constraint
    where conrelid in (select attrelid from pg_attribute where attname = 'user_id')
    and connamespace = 'api'::regnamespace
    and contype in ('p', 'u', 'f', 'x')
    and not exists (
      select
      from pg_attribute
      where attrelid = conrelid and attnum = any (conkey) and attname = 'user_id'
    )
    and not (
      contype = 'f'
      and exists (
        select
        from pg_depend
        join membership_functions on membership_functions.oid = objid
        where refobjid = conrelid
      )
    )
  $$,
  'Every key of a table that users own holds user_id, since keys bypass the policies, but that of members'
);

select is_empty(
  $$
    select relname
    from our_relations
    join pg_attribute on attrelid = our_relations.oid and attname = 'user_id'
    where relkind in ('r', 'p') and not attnotnull
  $$,
  'Every row of a table that users own has an owner'
);

select is_empty(
  $$
    select relname
    from our_relations
    join pg_attribute on attrelid = our_relations.oid and attname = 'user_id'
    where relkind in ('r', 'p')
    and not exists (
      select
      from pg_constraint
      where conrelid = attrelid and contype = 'f' and confdeltype = 'c' and attnum = any (conkey)
    )
  $$,
  'Every row that a user owns is deleted with the user'
);

select is_empty(
  $$
    select tgrelid::regclass, tgname
    from pg_trigger
    where tgrelid in (select oid from our_relations) and tgenabled <> 'O'
  $$,
  'No trigger is disabled'
);

-- Comments: they are the documentation of the API

select is_empty(
  $$
    select relname
    from our_relations
    where relkind in ('r', 'p', 'v') and obj_description(oid, 'pg_class') is null
  $$,
  'Every table says what it is for'
);

select is_empty(
  $$
    select relname, attname
    from our_relations
    join pg_attribute on attrelid = our_relations.oid
    where attnum > 0
    and not attisdropped
    and has_column_privilege('authenticated', attrelid, attnum, 'select, insert, update')
    and col_description(attrelid, attnum) is null
  $$,
  'Every column that a client sees says what it is for'
);

select is_empty(
  $$select name from our_functions where obj_description(oid, 'pg_proc') is null$$,
  'Every function says what it is for'
);

select is_empty(
  $$
    select polrelid::regclass, polname
    from pg_policy
    where obj_description(oid, 'pg_policy') is null
  $$,
  'Every policy says what it is for'
);

-- Planned counts: the planner estimates over the rows of all users, so it must not answer a request

-- What request.plannable() sees is the statement of this file, and not one that a function runs: so it
-- learns that a request explains.
do $do$
begin
  execute replace(
    pg_get_functiondef('request.plannable()'::regprocedure),
    'pg_catalog.current_query()',
    quote_literal('explain select')
  );
end
$do$;

-- The plan that a request gets; null when it is refused.
create function pg_temp.plan_in_request(role name, relation regclass)
returns text
language plpgsql
as $$
declare
  line text;
  lines text := '';
begin
  perform set_config('role', role, true);
  -- A connection that has planned it before: a function in it then keeps its plan.
  execute format('explain select 1 from %s', relation);
  perform set_config('request.method', 'GET', true);

  for line in execute format('explain select 1 from %s', relation) loop
    lines := concat_ws(e'\n', lines, line);
  end loop;

  raise sqlstate 'UNDO0';
exception
  when sqlstate 'UNDO0' then
    return lines;
  when sqlstate 'PT400' then
    return null;
end
$$;

-- Left out: what the role sees none of or all of, whatever it holds. Of a view nobody knows that.
select is_empty(
  $$
    select api_role.rolname, our_relations.oid::regclass
    from our_relations
    join pg_roles as api_role on pg_has_role('authenticator', api_role.oid, 'member')
    where nspname = 'api'
    and relkind in ('r', 'p', 'v')
    and not api_role.rolcanlogin
    and has_schema_privilege(api_role.oid, 'api', 'usage')
    and has_any_column_privilege(api_role.oid, our_relations.oid, 'select')
    and not (
      select coalesce(bool_and(polpermissive) and bool_or(pg_get_expr(polqual, polrelid) = 'true'), false)
      from pg_policy
      where polrelid = our_relations.oid
      and polcmd in ('r', '*')
      and polroles && array[0, api_role.oid]
    )
    and pg_temp.plan_in_request(api_role.rolname, our_relations.oid) not like '%One-Time Filter: false%'
  $$,
  'No table or view tells how many rows of others the planner expects'
);

select * from finish();
rollback;
