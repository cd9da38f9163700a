-- Members reach what they share: each sees it, editors and owners change it, owners delete it. The
-- database makes the id: a client that could choose one would learn from the answer (409, or 201)
-- whether there is such a row, also a hidden one.
alter table api.lists enable row level security;
alter table api.lists force row level security;

comment on table api.lists is
  'Rows of lists, shared by their members. A user sees those that they are a member of.';
comment on column api.lists.id is
  'A UUID, version 7, so that rows sort by age. The database makes it.';
comment on column api.lists.title is
  'What it is about: 1 to 200 characters.';
comment on column api.lists.created_at is
  'When the row was created.';
comment on column api.lists.updated_at is
  'When the row last changed. It moves forward on each change: send it as If-Match.';

grant
  select (id, title, created_at, updated_at),
  insert (title),
  update (title),
  delete
on api.lists to authenticated;

-- The array is read once for each request, and its ids are searched in the primary key; a function
-- of the id would be called for each row of all users. The inner select lets the array be read by
-- index: without it, PostgreSQL first asks the policy of the members, for each of them. The id that
-- is appended is that of the row which this statement creates: see private.add_owner_of_lists(). As a
-- second condition, behind an OR, it would keep a page from being read in the order of the key.
create policy select_members on api.lists
for select to authenticated
using (
  id = any (array_append(
    array(select group_id from api.lists_members where user_id = (select request.user_id())),
    nullif(current_setting('request.new_lists', true), '')::uuid
  ))
);

comment on policy select_members on api.lists is
  'A user sees what they are a member of.';

create policy insert_users on api.lists
for insert to authenticated
with check (request.user_id() is not null);

comment on policy insert_users on api.lists is
  'A user creates rows, and becomes their owner.';

create policy update_editors on api.lists
for update to authenticated
using (request.is_member_of_lists(id, 'editor'))
with check (request.is_member_of_lists(id, 'editor'));

comment on policy update_editors on api.lists is
  'Editors and owners change what they share.';

create policy delete_owners on api.lists
for delete to authenticated
using (request.is_member_of_lists(id, 'owner'));

comment on policy delete_owners on api.lists is
  'Owners delete what they share, for all its members.';
