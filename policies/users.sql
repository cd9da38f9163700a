-- Who reaches api.users: each user, their own row. Deleting is not granted: an account ends with
-- its owner's consent outside the API, and takes its tasks along (on delete cascade).
alter table api.users enable row level security;
alter table api.users force row level security;

comment on table api.users is
  'People who have signed in. You see yourself, and nobody else.';
comment on column api.users.id is
  'The id of the user: the sub claim of their token.';
comment on column api.users.email is
  'The email address that the token vouched for when the user was created, if it named one.';
comment on column api.users.name is
  'What the user likes to be called: 1 to 200 characters, not all blank.';
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
  'A user creates their own row, with the email address that their token vouches for.';

create policy update_own on api.users
for update to authenticated
using (id = request.user_id())
with check (id = request.user_id());

comment on policy update_own on api.users is
  'A user changes their own row.';
