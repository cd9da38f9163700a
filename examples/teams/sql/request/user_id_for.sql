create function request.user_id_for(iss text, sub text)
returns uuid
language sql
immutable
parallel safe
as $$
  -- RFC 9562, section 5.8: a UUID of our own making, version 8, from the first 16 bytes of a SHA-256.
  select encode(
    set_byte(
      set_byte(hash, 6, (get_byte(hash, 6) & 15) | 128),
      8,
      (get_byte(hash, 8) & 63) | 128
    ),
    'hex'
  )::uuid
  from (
    select substring(sha256(convert_to(iss || chr(10) || sub, 'UTF8')) from 1 for 16)
  ) as hashed (hash)
$$;

comment on function request.user_id_for(text, text) is
  'The id of the user whose provider names them by what is no UUID: always the same for the same iss and sub claims, and another for any other.';

grant execute on function request.user_id_for(text, text) to anonymous, authenticated;
