create table identity.verifications (
  id uuid not null default pg_catalog.gen_random_uuid(),
  identifier text not null,
  value text not null,
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint verifications_pkey primary key (id)
);

comment on table identity.verifications is
  'Links and codes that were sent or are under way. Each works once, and for a short time.';
comment on column identity.verifications.identifier is
  'A hash: who reads this table cannot follow the link.';

create index verifications_identifier on identity.verifications (identifier);
create index verifications_expires_at on identity.verifications (expires_at);

grant select, insert, update, delete on identity.verifications to identity_service;
