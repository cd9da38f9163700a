create function private.announce_end_to___table__()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
  named text := current_setting('request.ended_users_of___table__', true);
begin
  -- A cascade begins before it has found a row: this is how private.pass_on___table__() knows whose it is. Of
  -- many, a list that grows with each would cost more than to look through all members.
  perform set_config(
    'request.ended_users_of___table__',
    case
      when named = '*' or length(named) > 2000 then '*'
      else concat_ws(',', nullif(named, ''), old.id)
    end,
    true
  );

  return old;
end
$$;

comment on function private.announce_end_to___table__() is
  'Before the account of a user ends: names the user to private.pass_on___table__().';
