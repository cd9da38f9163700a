-- Who reaches a list reaches its items: members see them, editors and owners write them. The key begins
-- with the list: an id that an item of another list has is still free, so no answer tells of it.
alter table api.list_items enable row level security;
alter table api.list_items force row level security;

comment on table api.list_items is
  'What is on a list. A user sees the items of the lists that they are a member of.';
comment on column api.list_items.list_id is
  'The list.';
comment on column api.list_items.id is
  'A UUID, version 7, so that items sort by age. Default: a new one. A client that sends its own can safely repeat the create.';
comment on column api.list_items.title is
  'What it is: 1 to 200 characters, not all blank.';
comment on column api.list_items.completed is
  'Whether it is done.';
comment on column api.list_items.created_at is
  'When the item was created.';
comment on column api.list_items.updated_at is
  'When the item last changed. It moves forward on each change: send it as If-Match.';

-- An item stays on its list, so an upsert can ignore duplicates but not merge them.
grant
  select (list_id, id, title, completed, created_at, updated_at),
  insert (list_id, id, title, completed),
  update (title, completed),
  delete
on api.list_items to authenticated;

-- The array is read once for each request: see select_members of api.lists.
create policy select_members on api.list_items
for select to authenticated
using (
  list_id = any (array(select group_id from api.lists_members where user_id = (select request.user_id())))
);

comment on policy select_members on api.list_items is
  'A user sees the items of what they are a member of.';

create policy insert_editors on api.list_items
for insert to authenticated
with check (request.is_member_of_lists(list_id, 'editor'));

comment on policy insert_editors on api.list_items is
  'Editors and owners add items.';

create policy update_editors on api.list_items
for update to authenticated
using (request.is_member_of_lists(list_id, 'editor'))
with check (request.is_member_of_lists(list_id, 'editor'));

comment on policy update_editors on api.list_items is
  'Editors and owners change items.';

create policy delete_editors on api.list_items
for delete to authenticated
using (request.is_member_of_lists(list_id, 'editor'));

comment on policy delete_editors on api.list_items is
  'Editors and owners delete items.';
