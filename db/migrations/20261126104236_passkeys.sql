-- migrate:up

set local lock_timeout = '3s';

create table identity.passkeys (
  id uuid not null default pg_catalog.gen_random_uuid(),
  user_id uuid not null,
  name text not null default '',
  credential_id text not null,
  public_key bytea not null,
  counter bigint not null default 0,
  transports text[] not null default '{}',
  created_at timestamptz not null default now(),
  last_used_at timestamptz,
  constraint passkeys_pkey primary key (id),
  constraint passkeys_credential_id_key unique (credential_id),
  constraint passkeys_name_length check (char_length(name) <= 200),
  constraint passkeys_user_id_fkey foreign key (user_id) references identity.users (id) on delete cascade
);

create index passkeys_user_id on identity.passkeys (user_id);

comment on column identity.passkeys.counter is
  'How often the authenticator has signed; 0 where it does not count. One that goes back is refused: it was copied.';

comment on column identity.passkeys.credential_id is
  'What the authenticator calls it, in base64url.';

comment on column identity.passkeys.public_key is
  'In COSE''s form. The private key never leaves the authenticator.';

comment on column identity.passkeys.transports is
  'How browsers reach the authenticator: "internal", "usb", "hybrid" …';

comment on table identity.passkeys is
  'The passkeys (WebAuthn) that a person signs in with instead of a password. None of them is secret.';

grant
  select,
  insert,
  update,
  delete
on identity.passkeys to identity_service;

notify pgrst, 'reload schema';

-- migrate:down

set local lock_timeout = '3s';

drop table identity.passkeys;

notify pgrst, 'reload schema';
