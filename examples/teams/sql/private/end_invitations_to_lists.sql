create function private.end_invitations_to_lists()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  delete from api.lists_invitations
  where list_id = old.group_id
  and invited_by = old.user_id;

  return new;
end
$$;

comment on function private.end_invitations_to_lists() is
  'Before an owner gets another role: ends their invitations, by which they could become owner again.';
