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

comment on table identity.accounts is
  'The ways in which a person signs in: a password (provider "credential"), or an identity provider.';
comment on column identity.accounts.password is
  'The scrypt hash of the password, with its salt.';
comment on column identity.accounts.access_token is
  'Tokens of the provider, encrypted with the service''s secret.';

create index accounts_user_id on identity.accounts (user_id);

grant select, insert, update, delete on identity.accounts to identity_service;
