-- Members see each other; owners add, change and remove members; a member may leave. Row-level
-- security is not forced on the owner of the table: request.is_member_of_lists() reads the
-- members as that owner, who may be a role without BYPASSRLS.
alter table api.lists_members enable row level security;

comment on table api.lists_members is
  'Who shares which of api.lists, and in which role. A user sees the members of what they are a member of.';
comment on column api.lists_members.group_id is
  'What is shared: the id of a row of api.lists.';
comment on column api.lists_members.user_id is
  'The member.';
comment on column api.lists_members.role is
  'viewer: sees it. editor: also changes it. owner: also deletes it, and decides about members. Default: viewer.';
comment on column api.lists_members.created_at is
  'When the user became a member.';
comment on column api.lists_members.updated_at is
  'When the role last changed. It moves forward on each change: send it as If-Match.';

-- Of a member only the role changes, so an upsert can ignore duplicates but not merge them.
grant
  select (group_id, user_id, role, created_at, updated_at),
  insert (group_id, user_id, role),
  update (role),
  delete
on api.lists_members to authenticated;

-- The last condition is for the owner who leaves: see private.keep_owner_of_lists().
create policy select_members on api.lists_members
for select to authenticated
using (
  user_id = (select request.user_id())
  or request.is_member_of_lists(group_id)
  or group_id = nullif(current_setting('request.left_lists', true), '')::uuid
);

comment on policy select_members on api.lists_members is
  'A user sees the members of what they are a member of.';

-- The second condition is for the user who creates the group: see private.add_owner_of_lists(). The third
-- is for the user who is invited: see api.join_list().
create policy insert_owners on api.lists_members
for insert to authenticated
with check (
  request.is_member_of_lists(group_id, 'owner')
  or (
    group_id = nullif(current_setting('request.created_lists', true), '')::uuid
    and user_id = request.user_id()
    and role = 'owner'
  )
  or (
    concat(group_id, ' ', role) = current_setting('request.invited_lists', true)
    and user_id = request.user_id()
  )
);

comment on policy insert_owners on api.lists_members is
  'Owners add members. The first owner is the user who creates the row of api.lists, and who accepts an invitation adds themselves.';

create policy update_owners on api.lists_members
for update to authenticated
using (request.is_member_of_lists(group_id, 'owner'))
with check (request.is_member_of_lists(group_id, 'owner'));

comment on policy update_owners on api.lists_members is
  'Owners change the role of members. The last owner stays owner.';

create policy delete_owners_or_self on api.lists_members
for delete to authenticated
using (user_id = request.user_id() or request.is_member_of_lists(group_id, 'owner'));

comment on policy delete_owners_or_self on api.lists_members is
  'Owners remove members, and a member may leave. The last owner stays.';
