-- What several pgTAP files need, in the schema of pgTAP. The table tap.api_name holds the exposed schemas
-- and the roles of the project: pgtap.ts fills it first.

create function tap.user_role()
returns text
language sql
stable
return (select name from tap.api_name where kind = 'user');

create function tap.anonymous_role()
returns text
language sql
stable
return (select name from tap.api_name where kind = 'anonymous');

create function tap.alice()
returns uuid
language sql
immutable
return 'a11ce000-0000-4000-8000-000000000000'::uuid;

create function tap.bob()
returns uuid
language sql
immutable
return 'b0b00000-0000-4000-8000-000000000000'::uuid;

-- The id of the first, second ... row of a test: a UUID, version 7.
create function tap.row_id(number int)
returns uuid
language sql
immutable
return ('00000000-0000-7000-8000-' || lpad(number::text, 12, '0'))::uuid;

-- The claims of a token that request.check() accepts after configure_tokens().
create function tap.sound_claims()
returns jsonb
language sql
stable
return jsonb_build_object(
  'role', tap.user_role(),
  'aud', 'rowhouse',
  'iss', 'https://issuer.example',
  'sub', alice(),
  'exp', extract(epoch from now()) + 600
);

create function tap.configure_tokens()
returns void
language plpgsql
as $$
begin
  perform set_config('app.settings.jwt_aud', 'rowhouse', true);
  perform set_config('app.settings.jwt_iss', 'https://issuer.example', true);
end
$$;

-- The caller from here to the end of the transaction, or to the next of these functions.
-- "reset role" is the way back to the superuser; the claims stay.
create function tap.act_with(claims jsonb)
returns void
language plpgsql
as $$
begin
  perform set_config('request.jwt.claims', claims::text, true);
  perform set_config('role', tap.user_role(), true);
end
$$;

create function tap.act_as(id uuid, email text default null)
returns void
language sql
as $$
  select tap.act_with(tap.sound_claims() || jsonb_build_object('sub', id, 'email', email));
$$;

-- The same where users are known by a number or a text.
create function tap.act_as(id bigint, email text default null)
returns void
language sql
as $$
  select tap.act_with(tap.sound_claims() || jsonb_build_object('sub', id::text, 'email', email));
$$;

create function tap.act_as(id text, email text default null)
returns void
language sql
as $$
  select tap.act_with(tap.sound_claims() || jsonb_build_object('sub', id, 'email', email));
$$;

create function tap.act_anonymously()
returns void
language plpgsql
as $$
begin
  perform set_config('request.jwt.claims', jsonb_build_object('role', tap.anonymous_role())::text, true);
  perform set_config('role', tap.anonymous_role(), true);
end
$$;

-- The owner of a table, as a plain role: no superuser, and no member of any API role.
create function tap.act_as_owner_of(target regclass)
returns void
language plpgsql
as $$
declare
  plain_owner text := 'owner_of_' || (select relname from pg_class where oid = target);
  used text;
begin
  execute format('create role %I', plain_owner);
  for used in
    select nspname
    from pg_namespace
    where nspname in ('request', 'tap')
    or nspname in (select name from tap.api_name where kind = 'schema')
  loop
    execute format('grant usage on schema %I to %I', used, plain_owner);
    if used in ('request', 'tap') then
      execute format('grant execute on all functions in schema %I to %I', used, plain_owner);
    end if;
  end loop;
  execute format('alter table %s owner to %I', target, plain_owner);
  perform set_config('role', plain_owner, true);
end
$$;

create function tap.send_header(name text, value text)
returns void
language plpgsql
as $$
begin
  perform set_config('request.headers', jsonb_build_object(name, value)::text, true);
end
$$;

-- How many rows a statement reads or changes. It is undone, so that no test sees another's.
create function tap.touched(statement text)
returns bigint
language plpgsql
as $$
declare
  rows bigint;
begin
  execute statement;
  get diagnostics rows = row_count;
  raise sqlstate 'UNDO0';
exception
  when sqlstate 'UNDO0' then
    return rows;
end
$$;

-- throws_ok, which knows of SQLSTATE and message alone, for the other fields of an error.
create function tap.throws_detail(statement text, wanted_state text, wanted_detail text, name text)
returns text
language plpgsql
as $$
declare
  detail text;
begin
  execute statement;
  return is('no error', concat_ws(' ', wanted_state, wanted_detail), name);
exception
  when others then
    get stacked diagnostics detail = pg_exception_detail;
    return is(concat_ws(' ', sqlstate, detail), concat_ws(' ', wanted_state, wanted_detail), name);
end
$$;

create function tap.throws_constraint(statement text, wanted_state text, wanted text, name text)
returns text
language plpgsql
as $$
declare
  violated text;
begin
  execute statement;
  return is('no error', concat_ws(' ', wanted_state, wanted), name);
exception
  when others then
    get stacked diagnostics violated = constraint_name;
    return is(concat_ws(' ', sqlstate, violated), concat_ws(' ', wanted_state, wanted), name);
end
$$;

-- Every privilege on a table or its columns that a role other than the owner has, a line for
-- each role and verb: "authenticated select (id, name)", "authenticated delete".
create function tap.privileges_on(target regclass)
returns text[]
language sql
stable
as $$
  with granted (grantee, privilege, is_grantable, number, column_name) as (
    select acl.grantee, acl.privilege_type, acl.is_grantable, null, null
    from pg_class
    cross join aclexplode(relacl) as acl
    where pg_class.oid = target
    union all
    select acl.grantee, acl.privilege_type, acl.is_grantable, attnum, attname
    from pg_attribute
    cross join aclexplode(attacl) as acl
    where attrelid = target
  ),
  lines (line) as (
    select concat(
      coalesce(nullif(grantee, 0)::regrole::text, 'public'),
      ' ' || lower(privilege),
      ' (' || string_agg(column_name, ', ' order by number) || ')',
      case when is_grantable then ' with grant option' end
    )
    from granted
    where grantee <> (select relowner from pg_class where oid = target)
    group by grantee, privilege, is_grantable, column_name is null
  )
  select coalesce(array_agg(line order by line collate "C"), '{}')
  from lines
$$;

-- The tests act as the roles of the API, and pgTAP with them.
do $$
declare
  api_role text;
begin
  for api_role in
    select name from tap.api_name where kind = 'role'
  loop
    execute format('grant usage on schema tap to %I', api_role);
    execute format('grant execute on all functions in schema tap to %I', api_role);
    execute format('grant select on all tables in schema tap to %I', api_role);
  end loop;
end
$$;
