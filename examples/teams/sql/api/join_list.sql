create function api.join_list(token text)
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

comment on function api.join_list(text) is
  'Makes the caller a member of the list that a token of api.invite_to_list() invites to, and uses the token up. The answer is the id of the list.';

grant execute on function api.join_list(text) to authenticated;
