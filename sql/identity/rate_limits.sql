create table identity.rate_limits (
  id uuid not null default pg_catalog.gen_random_uuid(),
  key text not null,
  count integer not null,
  last_request bigint not null,
  constraint rate_limits_pkey primary key (id),
  constraint rate_limits_key_key unique (key)
);

comment on table identity.rate_limits is
  'How often an address, or a try on an account, has called the sign-in service lately.';
comment on column identity.rate_limits.last_request is
  'In milliseconds since 1970.';

grant select, insert, update, delete on identity.rate_limits to identity_service;
