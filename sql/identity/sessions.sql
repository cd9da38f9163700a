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

comment on table identity.sessions is
  'Where a person is signed in: one row for each device.';
comment on column identity.sessions.token is
  'Useless without the service''s signature, which the device alone keeps.';

create index sessions_user_id on identity.sessions (user_id);
create index sessions_expires_at on identity.sessions (expires_at);

create trigger add_to_api
after insert on identity.sessions
for each row
execute function identity.add_to_api();

grant select, insert, update, delete on identity.sessions to identity_service;
