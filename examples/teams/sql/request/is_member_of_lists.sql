create function request.is_member_of_lists(group_id uuid, least_role text default 'viewer')
returns boolean
language sql
stable
parallel safe
security definer
set search_path = ''
-- Not a string: PostgreSQL resolves the names now, and records what the function reads.
return exists (
  select
  from api.lists_members as member
  where member.group_id = is_member_of_lists.group_id
  and member.user_id = request.user_id()
  and array_position(array['viewer', 'editor', 'owner'], member.role)
    >= array_position(array['viewer', 'editor', 'owner'], least_role)
);

comment on function request.is_member_of_lists(uuid, text) is
  'Whether the caller is a member with at least this role: viewer, editor or owner. Security definer because the policies of the members ask it, and a query of the members there would ask those policies again.';

grant execute on function request.is_member_of_lists(uuid, text) to authenticated;
