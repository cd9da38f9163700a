create function private.keep_owner_of_lists()
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

comment on function private.keep_owner_of_lists() is
  'Before an owner leaves or gets another role: raises 409 when no other owner would be left.';
