create function private.end___table___with_members()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  -- Of accounts that end in one statement some members may still be here; their users are not.
  delete from api.__table__
  where id = old.group_id
  and not exists (
    select
    from api.__table___members as member
    join api.users on users.id = member.user_id
    where member.group_id = old.group_id
  );

  -- Then its members went along, and this one is not there to be deleted again.
  return case when not found then old end;
end
$$;

comment on function private.end___table___with_members() is
  'Before an owner goes with their account: deletes the group that no other user is a member of.';
