-- Each user reaches their own tasks. The update grant has the key columns because an upsert sets
-- them again to the same value; the policy keeps user_id from changing.
alter table api.tasks enable row level security;
alter table api.tasks force row level security;

comment on table api.tasks is
  'Things to do. A user sees and changes only their own tasks.';
comment on column api.tasks.user_id is
  'The owner. Default: the caller.';
comment on column api.tasks.id is
  'A UUID, version 7, so that tasks sort by age. Default: a new one. A client that sends its own can safely repeat the create.';
comment on column api.tasks.title is
  'What to do: 1 to 200 characters, not all blank.';
comment on column api.tasks.description is
  'Details: at most 10,000 characters.';
comment on column api.tasks.completed is
  'Whether it is done.';
comment on column api.tasks.created_at is
  'When the task was created.';
comment on column api.tasks.updated_at is
  'When the task last changed. It moves forward on each change: send it as If-Match.';

grant
  select (user_id, id, title, description, completed, created_at, updated_at),
  insert (user_id, id, title, description, completed),
  update (user_id, id, title, description, completed),
  delete
on api.tasks to authenticated;

create policy select_own on api.tasks
for select to authenticated
using (user_id = request.user_id());

comment on policy select_own on api.tasks is
  'A user sees their own tasks.';

create policy insert_own on api.tasks
for insert to authenticated
with check (user_id = request.user_id());

comment on policy insert_own on api.tasks is
  'A user creates tasks of their own.';

create policy update_own on api.tasks
for update to authenticated
using (user_id = request.user_id())
with check (user_id = request.user_id());

comment on policy update_own on api.tasks is
  'A user changes their own tasks, and cannot give them to another user.';

create policy delete_own on api.tasks
for delete to authenticated
using (user_id = request.user_id());

comment on policy delete_own on api.tasks is
  'A user deletes their own tasks.';
