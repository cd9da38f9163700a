create function api.hand_over_list(list_id uuid, to_member uuid)
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

comment on function api.hand_over_list(uuid, uuid) is
  'Makes a member an owner of a list, and the caller, who is one, an editor: both or neither.';

grant execute on function api.hand_over_list(uuid, uuid) to authenticated;
