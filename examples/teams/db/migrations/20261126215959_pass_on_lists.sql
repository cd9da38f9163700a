-- migrate:up

set local lock_timeout = '3s';

drop trigger check_if_match on api.lists;

create or replace function api.hand_over_list(list_id uuid, to_member uuid)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
  -- The list before its members, as for all who lock several: else the end of an account could deadlock with this.
  perform
  from api.lists
  where id = list_id
  for key share;

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
  violated text;
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
  -- The second when the list is deleted meanwhile. Other keys say nothing about the invitation.
  when no_data_found or foreign_key_violation then
    get stacked diagnostics violated = constraint_name;

    if violated not in ('', 'lists_members_group_id_fkey') then
      raise;
    end if;

    raise sqlstate 'PT404' using
      message = 'This invitation does not count.',
      detail = 'invitation_invalid',
      hint = 'It was used, it ended, or its link is incomplete. Ask for a new one.';
end
$$;

create function private.announce_end_to_lists()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
  named text := current_setting('request.ended_users_of_lists', true);
begin
  -- A cascade begins before it has found a row: this is how private.pass_on_lists() knows whose it is. Of
  -- many, a list that grows with each would cost more than to look through all members.
  perform set_config(
    'request.ended_users_of_lists',
    case
      when named = '*' or length(named) > 2000 then '*'
      else concat_ws(',', nullif(named, ''), old.id)
    end,
    true
  );

  return old;
end
$$;

create function private.end_lists_with_members()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  -- Of accounts that end in one statement some members may still be here; their users are not.
  delete from api.lists
  where id = old.group_id
  and not exists (
    select
    from api.lists_members as member
    join api.users on users.id = member.user_id
    where member.group_id = old.group_id
  );

  -- Then its members went along, and this one is not there to be deleted again.
  return case when not found then old end;
end
$$;

create function private.pass_on_lists()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
  named text := current_setting('request.ended_users_of_lists');
  ended uuid[];
  owned uuid[];
begin
  perform set_config('request.ended_users_of_lists', '', true);

  if named <> '*' then
    ended := string_to_array(named, ',');
  else
    ended := array(
      select distinct user_id
      from api.lists_members
      where not exists (select from api.users where users.id = user_id)
    );
  end if;

  -- This runs in the cascade of a foreign key, so with the rights of the owner of the tables, and before
  -- the cascade locks a member: what is shared comes first, as for who deletes it. No user joins it now.
  perform
  from api.lists
  where id in (select group_id from api.lists_members where user_id = any (ended))
  order by id
  for update;

  -- Whoever gives them another role has done so, or finds them gone.
  perform
  from api.lists_members
  where user_id = any (ended)
  order by group_id, user_id
  for no key update;

  owned := array(
    select group_id
    from api.lists_members
    where user_id = any (ended)
    and role = 'owner'
  );

  -- The other owners, who may be leaving, and those who may inherit. These are locks of rows, so their
  -- number needs no limit.
  perform
  from api.lists_members
  where group_id = any (owned)
  order by group_id, user_id
  for no key update;

  -- Another owner comes before all heirs: then there is nothing to change.
  update api.lists_members as member
  set role = 'owner'
  from (
    select distinct on (group_id) group_id, user_id
    from api.lists_members
    where group_id = any (owned)
    and user_id <> all (ended)
    order by group_id, array_position(array['owner', 'editor', 'viewer'], role), created_at, user_id
  ) as heir
  where member.group_id = heir.group_id
  and member.user_id = heir.user_id
  and member.role <> 'owner';

  return null;
end
$$;

-- A row also goes with the account of its only member. That runs inside another trigger: it is not what
-- the request named, so this condition leaves it alone.
create trigger check_if_match
before update or delete on api.lists
for each row
when (pg_trigger_depth() = 0)
execute function private.check_if_match();

create trigger end_with_members
before delete on api.lists_members
for each row
when (pg_trigger_depth() > 0 and old.role = 'owner')
execute function private.end_lists_with_members();

create trigger pass_on
before delete on api.lists_members
for each statement
when (current_setting('request.ended_users_of_lists', true) <> '')
execute function private.pass_on_lists();

-- When the account of a user ends: what they alone own passes to another member, or goes with them.
create trigger announce_end_to_lists
before delete on api.users
for each row
execute function private.announce_end_to_lists();

comment on function private.announce_end_to_lists() is
  'Before the account of a user ends: names the user to private.pass_on_lists().';

comment on function private.end_lists_with_members() is
  'Before an owner goes with their account: deletes the group that no other user is a member of.';

comment on function private.pass_on_lists() is
  'Before the memberships of ended accounts go: where no other owner is left, the member with the highest role becomes one, and of several the one who joined first.';

notify pgrst, 'reload schema';

-- migrate:down

set local lock_timeout = '3s';

drop trigger check_if_match on api.lists;

drop trigger end_with_members on api.lists_members;

drop trigger pass_on on api.lists_members;

drop trigger announce_end_to_lists on api.users;

drop function private.announce_end_to_lists();

drop function private.end_lists_with_members();

drop function private.pass_on_lists();

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

create trigger check_if_match
before update or delete on api.lists
for each row
execute function private.check_if_match();

notify pgrst, 'reload schema';
