create function api.invite_to_list(list_id uuid, role text default 'viewer')
returns text
language plpgsql
volatile
set search_path = ''
as $$
declare
  -- 244 random bits. Nobody guesses that, so its hash needs no salt.
  token text := replace(concat(gen_random_uuid(), gen_random_uuid()), '-', '');
begin
  insert into api.lists_invitations (list_id, role, token_hash)
  values (invite_to_list.list_id, invite_to_list.role, encode(sha256(convert_to(token, 'UTF8')), 'hex'));

  return token;
end
$$;

comment on function api.invite_to_list(uuid, text) is
  'Invites to a list that the caller owns. The answer is a token for one person, which counts for 7 days: send it in a link, after a #. It is shown this once.';

grant execute on function api.invite_to_list(uuid, text) to authenticated;
