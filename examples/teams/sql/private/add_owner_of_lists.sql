create function private.add_owner_of_lists()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  -- Outside a request there is no caller: the operator adds the members.
  if request.user_id() is null then
    return new;
  end if;

  if tg_when = 'BEFORE' then
    -- PostgreSQL checks select_members of the table before the row is there. This names the row to
    -- it. No request chooses an id, so it is that of no row which is there already.
    perform set_config('request.new_lists', new.id::text, true);
  else
    -- The row is there, and new: this names it to insert_owners of its members, for one statement.
    perform set_config('request.created_lists', new.id::text, true);

    insert into api.lists_members (group_id, user_id, role)
    values (new.id, request.user_id(), 'owner');

    perform set_config('request.created_lists', '', true);
    perform set_config('request.new_lists', '', true);
  end if;

  return new;
end
$$;

comment on function private.add_owner_of_lists() is
  'Before and after an insert: makes the caller the owner of the new row, with the rights of the caller.';
