-- Each user reaches their own rows. The update grant has the key columns because an upsert sets
-- them again to the same value; the policy keeps user_id from changing.
alter table api.__table__ enable row level security;
alter table api.__table__ force row level security;

comment on table api.__table__ is
  'Rows of __table__. A user sees and changes only their own.';
comment on column api.__table__.user_id is
  'The owner. Default: the caller.';
comment on column api.__table__.id is
  'A UUID, version 7, so that rows sort by age. Default: a new one. A client that sends its own can safely repeat the create.';
comment on column api.__table__.title is
  'What it is about: 1 to 200 characters.';
comment on column api.__table__.created_at is
  'When the row was created.';
comment on column api.__table__.updated_at is
  'When the row last changed. It moves forward on each change: send it as If-Match.';

grant
  select (user_id, id, title, created_at, updated_at),
  insert (user_id, id, title),
  update (user_id, id, title),
  delete
on api.__table__ to authenticated;

create policy select_own on api.__table__
for select to authenticated
using (user_id = request.user_id());

comment on policy select_own on api.__table__ is
  'A user sees their own rows.';

create policy insert_own on api.__table__
for insert to authenticated
with check (user_id = request.user_id());

comment on policy insert_own on api.__table__ is
  'A user creates rows of their own.';

create policy update_own on api.__table__
for update to authenticated
using (user_id = request.user_id())
with check (user_id = request.user_id());

comment on policy update_own on api.__table__ is
  'A user changes their own rows, and cannot give them to another user.';

create policy delete_own on api.__table__
for delete to authenticated
using (user_id = request.user_id());

comment on policy delete_own on api.__table__ is
  'A user deletes their own rows.';
