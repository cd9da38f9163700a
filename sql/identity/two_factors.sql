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

comment on table identity.two_factors is
  'The second factor of a person who has turned it on: time-based codes (TOTP, RFC 6238) and codes for emergencies.';
comment on column identity.two_factors.secret is
  'Encrypted with the service''s secret, as the backup codes are.';

create index two_factors_user_id on identity.two_factors (user_id);

grant select, insert, update, delete on identity.two_factors to identity_service;
