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

comment on table identity.signing_keys is
  'The keys that sign tokens. The newest that has not expired signs.';
comment on column identity.signing_keys.private_key is
  'Encrypted with the service''s secret.';
comment on column identity.signing_keys.created_at is
  'Since when the key signs; 1970 while it is only published, so that PostgREST knows it before it signs its first token.';
comment on column identity.signing_keys.expires_at is
  'When the last token that it has signed ends; null while it signs or will sign.';

grant select, insert, update, delete on identity.signing_keys to identity_service;
