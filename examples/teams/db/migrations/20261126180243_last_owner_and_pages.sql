-- migrate:up

set local lock_timeout = '3s';

drop trigger keep_owner on api.lists_members;

create or replace function api.hand_over_list(list_id uuid, to_member uuid)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
  -- Both in one order, whoever hands over to whom: else two owners who do so to each other could deadlock.
  perform
  from api.lists_members
  where group_id = list_id
  and user_id in (to_member, request.user_id())
  order by user_id
  for no key update;

  update api.lists_members
  set role = 'owner'
  where group_id = list_id
  and user_id = to_member
  and user_id <> request.user_id();

  if not found then
    raise sqlstate 'PT404' using
      message = 'There is no such member.',
      detail = 'member_unknown',
      hint = 'Only an owner hands over, to another member of the list.';
  end if;

  update api.lists_members
  set role = 'editor'
  where group_id = list_id
  and user_id = request.user_id();
end
$$;

create or replace function api.join_list(token text)
returns uuid
language plpgsql
volatile
set search_path = ''
as $$
declare
  hash text := encode(sha256(convert_to(token, 'UTF8')), 'hex');
  invitation record;
begin
  -- Shows the invitation to its policies, for as long as this function runs.
  perform set_config('request.invitation', hash, true);

  select list_id, role into strict invitation
  from api.lists_invitations
  where token_hash = hash
  and expires_at > now();

  -- Names the new member to insert_owners of api.lists_members, for one statement.
  perform set_config('request.invited_lists', concat(invitation.list_id, ' ', invitation.role), true);

  -- The list, which a new member holds, before its invitation, as for who deletes it: else the two could
  -- deadlock.
  insert into api.lists_members (group_id, user_id, role)
  values (invitation.list_id, request.user_id(), invitation.role)
  on conflict (group_id, user_id) do nothing;

  -- The link still counts for whom it was meant.
  if not found then
    raise sqlstate 'PT409' using
      message = 'You are a member already.',
      detail = 'already_member',
      hint = 'Give the link to whom it is meant for. An owner can change your role.';
  end if;

  -- Of two who bring the same token at once, one waits here, and then finds nothing.
  delete from api.lists_invitations
  where token_hash = hash
  returning list_id into strict invitation.list_id;

  perform set_config('request.invited_lists', '', true);
  perform set_config('request.invitation', '', true);

  return invitation.list_id;
exception
  -- The second when the list is deleted meanwhile.
  when no_data_found or foreign_key_violation then
    raise sqlstate 'PT404' using
      message = 'This invitation does not count.',
      detail = 'invitation_invalid',
      hint = 'It was used, it ended, or its link is incomplete. Ask for a new one.';
end
$$;

create or replace function private.keep_owner_of_lists()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
  former_group uuid;
  former_groups uuid[] := array(
    select distinct group_id
    from old_rows
    where role = 'owner'
    order by group_id
  );
begin
  -- Each lock below takes a place in a table that all connections share.
  if cardinality(former_groups) > 100 and current_setting('request.method', true) <> '' then
    raise sqlstate 'PT400' using
      message = format('One request may change the owners of 100 groups, and not of %s.', cardinality(former_groups)),
      detail = 'too_many_rows',
      hint = 'Narrow the filter.';
  end if;

  foreach former_group in array former_groups
  loop
    -- One at a time: else two owners could leave at once, each relying on the other. No lock of the
    -- row of api.lists would do: whoever deletes that row holds it, and waits for its members.
    perform pg_advisory_xact_lock(hashtextextended(former_group::text, 0));

    -- Who has left sees the members no more: this names the group to their select_members, for one
    -- statement.
    perform set_config('request.left_lists', former_group::text, true);

    if not exists (
      select
      from api.lists_members
      where group_id = former_group
      and role = 'owner'
    ) then
      raise sqlstate 'PT409' using
        message = 'The last owner has to stay.',
        detail = 'last_owner',
        hint = 'Make another member an owner first, or delete what they share.';
    end if;
  end loop;

  perform set_config('request.left_lists', '', true);

  return null;
end
$$;

create trigger keep_owner_on_delete
after delete on api.lists_members
referencing old table as old_rows
for each statement
when (pg_trigger_depth() = 0)
execute function private.keep_owner_of_lists();

create trigger keep_owner_on_update
after update on api.lists_members
referencing old table as old_rows
for each statement
when (pg_trigger_depth() = 0)
execute function private.keep_owner_of_lists();

-- The array is read once for each request, and its ids are searched in the primary key; a function
-- of the id would be called for each row of all users. The inner select lets the array be read by
-- index: without it, PostgreSQL first asks the policy of the members, for each of them. The id that
-- is appended is that of the row which this statement creates: see private.add_owner_of_lists(). As a
-- second condition, behind an OR, it would keep a page from being read in the order of the key.
alter policy select_members on api.lists
to authenticated
using (
  id = any (array_append(
    array(select group_id from api.lists_members where user_id = (select request.user_id())),
    nullif(current_setting('request.new_lists', true), '')::uuid
  ))
);

-- The last condition is for the owner who leaves: see private.keep_owner_of_lists().
alter policy select_members on api.lists_members
to authenticated
using (
  user_id = (select request.user_id())
  or request.is_member_of_lists(group_id)
  or group_id = nullif(current_setting('request.left_lists', true), '')::uuid
);

comment on function private.keep_owner_of_lists() is
  'After owners left or got another role: raises 409, which rolls it back, when a group has no owner any more.';

notify pgrst, 'reload schema';

-- migrate:down

set local lock_timeout = '3s';

drop trigger keep_owner_on_delete on api.lists_members;

drop trigger keep_owner_on_update on api.lists_members;

create or replace function api.hand_over_list(list_id uuid, to_member uuid)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
  -- The list before its members, as who deletes it: else two who hand over at once could deadlock.
  perform
  from api.lists
  where id = list_id
  for no key update;

  update api.lists_members
  set role = 'owner'
  where group_id = list_id
  and user_id = to_member
  and user_id <> request.user_id();

  if not found then
    raise sqlstate 'PT404' using
      message = 'There is no such member.',
      detail = 'member_unknown',
      hint = 'Only an owner hands over, to another member of the list.';
  end if;

  update api.lists_members
  set role = 'editor'
  where group_id = list_id
  and user_id = request.user_id();
end
$$;

create or replace function api.join_list(token text)
returns uuid
language plpgsql
volatile
set search_path = ''
as $$
declare
  hash text := encode(sha256(convert_to(token, 'UTF8')), 'hex');
  invitation record;
begin
  -- Shows the invitation to its policies, for as long as this function runs.
  perform set_config('request.invitation', hash, true);

  -- Of two who bring the same token at once, one waits here, and then finds nothing.
  delete from api.lists_invitations
  where token_hash = hash
  and expires_at > now()
  returning list_id, role into invitation;

  if not found then
    raise sqlstate 'PT404' using
      message = 'This invitation does not count.',
      detail = 'invitation_invalid',
      hint = 'It was used, it ended, or its link is incomplete. Ask for a new one.';
  end if;

  -- Names the new member to insert_owners of api.lists_members, for one statement.
  perform set_config('request.invited_lists', concat(invitation.list_id, ' ', invitation.role), true);

  insert into api.lists_members (group_id, user_id, role)
  values (invitation.list_id, request.user_id(), invitation.role)
  on conflict (group_id, user_id) do nothing;

  -- The error undoes the delete: the link still counts for whom it was meant.
  if not found then
    raise sqlstate 'PT409' using
      message = 'You are a member already.',
      detail = 'already_member',
      hint = 'Give the link to whom it is meant for. An owner can change your role.';
  end if;

  perform set_config('request.invited_lists', '', true);
  perform set_config('request.invitation', '', true);

  return invitation.list_id;
end
$$;

create or replace function private.keep_owner_of_lists()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if tg_op = 'UPDATE' and new.role = 'owner' then
    return new;
  end if;

  -- One at a time: else two owners could leave at once, each relying on the other.
  perform
  from api.lists
  where id = old.group_id
  for no key update;

  if not exists (
    select
    from api.lists_members as other
    where other.group_id = old.group_id
    and other.user_id <> old.user_id
    and other.role = 'owner'
  ) then
    raise sqlstate 'PT409' using
      message = 'The last owner has to stay.',
      detail = 'last_owner',
      hint = 'Make another member an owner first, or delete what they share.';
  end if;

  return case when tg_op = 'DELETE' then old else new end;
end
$$;

create trigger keep_owner
before update or delete on api.lists_members
for each row
when (old.role = 'owner' and pg_trigger_depth() = 0)
execute function private.keep_owner_of_lists();

-- The array is read once for each request, and its ids are searched in the primary key; a function
-- of the id would be called for each row of all users. The inner select lets the array be read by
-- index: without it, PostgreSQL first asks the policy of the members, for each of them. The second
-- condition is for the row that this statement creates: see private.add_owner_of_lists().
alter policy select_members on api.lists
to authenticated
using (
  id = any (array(select group_id from api.lists_members where user_id = (select request.user_id())))
  or id = nullif(current_setting('request.new_lists', true), '')::uuid
);

alter policy select_members on api.lists_members
to authenticated
using (user_id = request.user_id() or request.is_member_of_lists(group_id));

comment on function private.keep_owner_of_lists() is
  'Before an owner leaves or gets another role: raises 409 when no other owner would be left.';

notify pgrst, 'reload schema';
