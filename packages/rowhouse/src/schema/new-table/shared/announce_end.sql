create function private.announce_end_to___table__()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  -- A cascade begins before it has found a row: this is how private.pass_on___table__() knows whose it is.
  perform set_config(
    'request.ended_users_of___table__',
    concat_ws(',', nullif(current_setting('request.ended_users_of___table__', true), ''), old.id),
    true
  );

  return old;
end
$$;

comment on function private.announce_end_to___table__() is
  'Before the account of a user ends: names the user to private.pass_on___table__().';
