create table api.users (
  id uuid not null default request.uuid_v7(),
  email text,
  name text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint users_pkey primary key (id),
  constraint users_email_form check (email ~ '^[^@\s]+@[^@\s]+$' and char_length(email) <= 320),
  constraint users_name_length check (char_length(name) between 1 and 200),
  constraint users_name_not_blank check (not request.is_blank(name))
);

-- Not unique: an error would reveal that another user has the address. The id, which is the sub
-- claim, identifies a user.
create index users_email on api.users (email);

create trigger check_if_match
before update or delete on api.users
for each row
execute function private.check_if_match();

create trigger step_updated_at
before update on api.users
for each row
execute function private.step_updated_at();
