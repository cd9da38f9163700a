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

comment on table identity.users is
  'The account of a person. Its id is the sub claim of their tokens, and the id of their row in api.users.';
comment on column identity.users.email is
  'In lower case. Unique here, and shown to no other user: sign-up answers alike for known and unknown addresses.';
comment on column identity.users.email_verified is
  'Whether the person has followed a link that was sent to the address. Tokens hold the address only then.';

create trigger update_email_in_api
after update of email, email_verified on identity.users
for each row
when (new.email_verified)
execute function identity.update_email_in_api();

create trigger delete_from_api
after delete on identity.users
for each row
execute function identity.delete_from_api();

grant select, insert, update, delete on identity.users to identity_service;
