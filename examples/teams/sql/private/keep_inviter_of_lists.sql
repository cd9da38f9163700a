create function private.keep_inviter_of_lists()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  -- Whoever takes the role away waits until this invitation is there for them to end.
  perform
  from api.lists_members
  where group_id = new.list_id
  and user_id = new.invited_by
  and role = 'owner'
  for share;

  if not found then
    raise sqlstate '42501' using
      message = 'new row violates row-level security policy for table "lists_invitations"';
  end if;

  return new;
end
$$;

comment on function private.keep_inviter_of_lists() is
  'Before an insert of an invitation: locks the membership of the owner who invites, and raises 403 when they are none any more.';
