-- migrate:up

set local lock_timeout = '3s';

do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'identity_service') then
    create role identity_service noinherit login;
  end if;

  if not exists (
    select from pg_catalog.pg_roles
    where rolname = 'identity_service'
    and 'statement_timeout=5s' = any (rolconfig)
  ) then
    alter role identity_service set statement_timeout = '5s';
  end if;
end
$$;

create schema identity;

create table identity.rate_limits (
  id uuid not null default pg_catalog.gen_random_uuid(),
  key text not null,
  count integer not null,
  last_request bigint not null,
  constraint rate_limits_pkey primary key (id),
  constraint rate_limits_key_key unique (key)
);

create table identity.signing_keys (
  id uuid not null default pg_catalog.gen_random_uuid(),
  public_key text not null,
  private_key text not null,
  alg text,
  crv text,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  constraint signing_keys_pkey primary key (id)
);

create table identity.users (
  id uuid not null default pg_catalog.gen_random_uuid(),
  email text not null,
  email_verified boolean not null default false,
  name text not null default '',
  image text,
  two_factor_enabled boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint users_pkey primary key (id),
  constraint users_email_key unique (email),
  constraint users_email_form check (email ~ '^[^@\s]+@[^@\s]+$' and char_length(email) <= 320),
  constraint users_email_lower check (email = lower(email)),
  constraint users_name_length check (char_length(name) <= 200)
);

create table identity.verifications (
  id uuid not null default pg_catalog.gen_random_uuid(),
  identifier text not null,
  value text not null,
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint verifications_pkey primary key (id)
);

create function identity.add_to_api()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  insert into api.users (id, email, name)
  select
    account.id,
    case when account.email_verified then account.email end,
    case when not request.is_blank(account.name) then account.name end
  from identity.users as account
  where account.id = new.user_id
  on conflict (id) do nothing;

  return null;
end
$$;

create function identity.delete_from_api()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  delete from api.users
  where id = old.id;

  return null;
end
$$;

create function identity.update_email_in_api()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  update api.users
  set email = new.email
  where id = new.id
  and email is distinct from new.email;

  return null;
end
$$;

create index verifications_expires_at on identity.verifications (expires_at);

create index verifications_identifier on identity.verifications (identifier);

create trigger delete_from_api
after delete on identity.users
for each row
execute function identity.delete_from_api();

create trigger update_email_in_api
after update of email, email_verified on identity.users
for each row
when (new.email_verified)
execute function identity.update_email_in_api();

create policy delete_identity on api.users
for delete to identity_service
using (true);

create policy insert_identity on api.users
for insert to identity_service
with check (true);

create policy select_identity on api.users
for select to identity_service
using (true);

create policy update_identity on api.users
for update to identity_service
using (true)
with check (true);

comment on column identity.rate_limits.last_request is
  'In milliseconds since 1970.';

comment on column identity.signing_keys.created_at is
  'Since when the key signs; 1970 while it is only published, so that PostgREST knows it before it signs its first token.';

comment on column identity.signing_keys.expires_at is
  'When the last token that it has signed ends; null while it signs or will sign.';

comment on column identity.signing_keys.private_key is
  'Encrypted with the service''s secret.';

comment on column identity.users.email is
  'In lower case. Unique here, and shown to no other user: sign-up answers alike for known and unknown addresses.';

comment on column identity.users.email_verified is
  'Whether the person has followed a link that was sent to the address. Tokens hold the address only then.';

comment on column identity.verifications.identifier is
  'A hash: who reads this table cannot follow the link.';

comment on function identity.add_to_api() is
  'At the first sign-in: makes the user''s row in api.users, as api.me() does for other tokens.';

comment on function identity.delete_from_api() is
  'After the deletion of an account: deletes the user''s row in api.users and, by its foreign keys, all rows of the user, in the same transaction.';

comment on function identity.update_email_in_api() is
  'After a change of an account''s verified address: api.users has the new one, too.';

comment on policy delete_identity on api.users is
  'The sign-in service deletes the row of a deleted account, and all that is the user''s with it.';

comment on policy insert_identity on api.users is
  'The sign-in service makes a user''s row at their first sign-in.';

comment on policy select_identity on api.users is
  'The sign-in service finds the row of an account.';

comment on policy update_identity on api.users is
  'The sign-in service brings a changed address.';

comment on schema identity is
  'Accounts of people, their sessions and the keys that sign tokens. Only the sign-in service reaches it: no API role has usage on this schema.';

comment on table identity.rate_limits is
  'How often an address, or a try on an account, has called the sign-in service lately.';

comment on table identity.signing_keys is
  'The keys that sign tokens. The newest that has not expired signs.';

comment on table identity.users is
  'The account of a person. Its id is the sub claim of their tokens, and the id of their row in api.users.';

comment on table identity.verifications is
  'Links and codes that were sent or are under way. Each works once, and for a short time.';

grant usage on schema identity to identity_service;

grant usage on schema api to identity_service;

grant usage on schema request to identity_service;

grant
  select (id, email),
  insert (id, email, name),
  update (email),
  delete
on api.users to identity_service;

grant
  select,
  insert,
  update,
  delete
on identity.rate_limits to identity_service;

grant
  select,
  insert,
  update,
  delete
on identity.signing_keys to identity_service;

grant
  select,
  insert,
  update,
  delete
on identity.users to identity_service;

grant
  select,
  insert,
  update,
  delete
on identity.verifications to identity_service;

grant execute on function request.header(text) to identity_service;

grant execute on function request.is_blank(text) to identity_service;

create table identity.accounts (
  id uuid not null default pg_catalog.gen_random_uuid(),
  user_id uuid not null,
  provider_id text not null,
  account_id text not null,
  password text,
  access_token text,
  refresh_token text,
  id_token text,
  access_token_expires_at timestamptz,
  refresh_token_expires_at timestamptz,
  scope text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint accounts_pkey primary key (id),
  constraint accounts_provider_key unique (provider_id, account_id),
  constraint accounts_user_id_fkey foreign key (user_id) references identity.users (id) on delete cascade
);

create table identity.sessions (
  id uuid not null default pg_catalog.gen_random_uuid(),
  user_id uuid not null,
  token text not null,
  expires_at timestamptz not null,
  ip_address text,
  user_agent text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint sessions_pkey primary key (id),
  constraint sessions_token_key unique (token),
  constraint sessions_user_id_fkey foreign key (user_id) references identity.users (id) on delete cascade
);

create table identity.two_factors (
  id uuid not null default pg_catalog.gen_random_uuid(),
  user_id uuid not null,
  secret text not null,
  backup_codes text not null,
  verified boolean not null default true,
  failed_verification_count integer not null default 0,
  locked_until timestamptz,
  constraint two_factors_pkey primary key (id),
  constraint two_factors_user_id_fkey foreign key (user_id) references identity.users (id) on delete cascade
);

create index accounts_user_id on identity.accounts (user_id);

create index sessions_expires_at on identity.sessions (expires_at);

create index sessions_user_id on identity.sessions (user_id);

create index two_factors_user_id on identity.two_factors (user_id);

create trigger add_to_api
after insert on identity.sessions
for each row
execute function identity.add_to_api();

comment on column identity.accounts.access_token is
  'Tokens of the provider, encrypted with the service''s secret.';

comment on column identity.accounts.password is
  'The scrypt hash of the password, with its salt.';

comment on column identity.sessions.token is
  'Useless without the service''s signature, which the device alone keeps.';

comment on column identity.two_factors.secret is
  'Encrypted with the service''s secret, as the backup codes are.';

comment on table identity.accounts is
  'The ways in which a person signs in: a password (provider "credential"), or an identity provider.';

comment on table identity.sessions is
  'Where a person is signed in: one row for each device.';

comment on table identity.two_factors is
  'The second factor of a person who has turned it on: time-based codes (TOTP, RFC 6238) and codes for emergencies.';

grant
  select,
  insert,
  update,
  delete
on identity.accounts to identity_service;

grant
  select,
  insert,
  update,
  delete
on identity.sessions to identity_service;

grant
  select,
  insert,
  update,
  delete
on identity.two_factors to identity_service;

notify pgrst, 'reload schema';
notify pgrst, 'reload config';

-- migrate:down

set local lock_timeout = '3s';

drop policy delete_identity on api.users;

drop policy insert_identity on api.users;

drop policy select_identity on api.users;

drop policy update_identity on api.users;

drop table identity.accounts;

drop table identity.rate_limits;

drop table identity.sessions;

drop function identity.add_to_api();

drop table identity.signing_keys;

drop table identity.two_factors;

drop table identity.users;

drop function identity.delete_from_api();

drop function identity.update_email_in_api();

drop table identity.verifications;

drop schema identity;

revoke usage on schema api from identity_service;

revoke usage on schema request from identity_service;

revoke
  select (id, email),
  insert (id, email, name),
  update (email),
  delete
on api.users from identity_service;

revoke execute on function request.header(text) from identity_service;

revoke execute on function request.is_blank(text) from identity_service;

notify pgrst, 'reload schema';
