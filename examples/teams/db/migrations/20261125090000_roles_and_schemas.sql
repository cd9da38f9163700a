-- migrate:up

-- The role of a request without a token. Roles belong to the server, not to one database, so
-- this one may exist already (on Neon it does): create only what is missing.
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'anonymous') then
    create role anonymous nologin noinherit;
  end if;

  if not exists (
    select from pg_catalog.pg_roles
    where rolname = 'anonymous'
    and 'statement_timeout=5s' = any (rolconfig)
  ) then
    alter role anonymous set statement_timeout = '5s';
  end if;
end
$$;

-- The role of a request with a valid token. It may exist already, as every role may.
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'authenticated') then
    create role authenticated nologin noinherit;
  end if;

  if not exists (
    select from pg_catalog.pg_roles
    where rolname = 'authenticated'
    and 'statement_timeout=5s' = any (rolconfig)
  ) then
    alter role authenticated set statement_timeout = '5s';
  end if;
end
$$;

-- The login role of PostgREST. It owns nothing and inherits nothing: for each request it becomes
-- anonymous or authenticated, and it is a member of those two alone.
-- No migration holds its password: `rowhouse start`, compose or the deploy sets it.
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'authenticator') then
    create role authenticator login noinherit;
  end if;

  if not pg_catalog.pg_has_role('authenticator', 'anonymous', 'member') then
    grant anonymous to authenticator;
  end if;

  if not pg_catalog.pg_has_role('authenticator', 'authenticated', 'member') then
    grant authenticated to authenticator;
  end if;
end
$$;

-- Revokes what PostgreSQL grants to PUBLIC by default. The default privilege is global on purpose:
-- a revoke "in schema" cannot take away what the global default grants.
alter default privileges revoke execute on functions from public;

do $$
begin
  execute format('revoke temporary on database %I from public', current_database());
end
$$;

create schema api;

comment on schema api is
  'Rowhouse: row-level security decides which rows each user reaches.';

grant usage on schema api to authenticated;

create schema request;

comment on schema request is
  'The current request: its caller, its claims and headers, and what every table needs from it.';

grant usage on schema request to anonymous, authenticated;

create schema private;

comment on schema private is
  'Trigger functions. No API role has usage on this schema.';

notify pgrst, 'reload schema';
notify pgrst, 'reload config';

-- migrate:down

-- The roles stay: they belong to the server, and other databases on it may use them.
drop schema private;
drop schema request;
drop schema api;

alter default privileges grant execute on functions to public;

do $$
begin
  execute format('grant temporary on database %I to public', current_database());
end
$$;

notify pgrst, 'reload schema';
