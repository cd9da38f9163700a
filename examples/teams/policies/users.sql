-- Each user reaches their own row. Delete is not granted: accounts are deleted outside the API, and
-- the rows of the user go with them (on delete cascade).
alter table api.users enable row level security;
alter table api.users force row level security;

comment on table api.users is
  'Users who have signed in. A user sees only their own row.';
comment on column api.users.id is
  'The id of the user: the sub claim of their token.';
comment on column api.users.email is
  'The email claim of the token when the user was created; null if it had none.';
comment on column api.users.name is
  'The display name: 1 to 200 characters, not all blank.';
comment on column api.users.created_at is
  'When the user was created.';
comment on column api.users.updated_at is
  'When the user last changed. It moves forward on each change: send it as If-Match.';

grant
  select (id, email, name, created_at, updated_at),
  insert (id, email, name),
  update (name)
on api.users to authenticated;

create policy select_own on api.users
for select to authenticated
using (id = request.user_id());

comment on policy select_own on api.users is
  'A user sees their own row.';

create policy insert_own on api.users
for insert to authenticated
with check (id = request.user_id() and email is not distinct from request.email());

comment on policy insert_own on api.users is
  'A user creates their own row, with the email address of their token.';

create policy update_own on api.users
for update to authenticated
using (id = request.user_id())
with check (id = request.user_id());

comment on policy update_own on api.users is
  'A user changes their own row.';
