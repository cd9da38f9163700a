create function private.add_owner_of___table__()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  -- Outside a request there is no caller: the operator adds the members.
  if request.user_id() is null then
    return new;
  end if;

  -- PostgreSQL checks the policies before the row and its member are there. This names the new row
  -- to select_members of the table and insert_owners of its members, for this statement alone.
  perform set_config('request.new___table__', new.id::text, true);

  if tg_when = 'AFTER' then
    insert into api.__table___members (group_id, user_id, role)
    values (new.id, request.user_id(), 'owner');

    perform set_config('request.new___table__', '', true);
  end if;

  return new;
end
$$;

comment on function private.add_owner_of___table__() is
  'Before and after an insert: makes the caller the owner of the new row, with the rights of the caller.';
