-- What this project needs of Neon on a server that is not Neon's: stubs, written by `rowhouse init`.
-- They run on each scratch server, on the embedded one of `npm start` and under the tests, before the
-- migrations. No migration deploys them. Add what your objects refer to; a schema that is new here
-- belongs into "platform" in package.json, too.

do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'anonymous') then
    create role anonymous nologin;
  end if;

  if not exists (select from pg_catalog.pg_roles where rolname = 'authenticated') then
    create role authenticated nologin;
  end if;

  if not exists (select from pg_catalog.pg_roles where rolname = 'authenticator') then
    create role authenticator login noinherit;
    grant anonymous, authenticated to authenticator;
  end if;
end
$$;

create schema auth;
grant usage on schema auth to anonymous, authenticated;

create function auth.session()
returns jsonb
language sql
stable
as $$
  select nullif(current_setting('request.jwt.claims', true), '')::jsonb
$$;

create function auth.user_id()
returns text
language sql
stable
as $$
  select auth.session() ->> 'sub'
$$;

create function auth.uid()
returns uuid
language sql
stable
as $$
  select (auth.session() ->> 'sub')::uuid
$$;

create schema neon_auth;

create table neon_auth.users_sync (
  raw_json jsonb not null,
  id text not null generated always as (raw_json ->> 'id') stored primary key,
  name text generated always as (raw_json ->> 'display_name') stored,
  email text generated always as (raw_json ->> 'primary_email') stored,
  created_at timestamptz,
  updated_at timestamptz,
  deleted_at timestamptz
);
