create function request.token_hint(fault text)
returns text
language sql
immutable
parallel safe
as $$
  select case fault
    when 'token_role_refused'
      then 'The claim "role" must be "authenticated". Where your provider names no role, set JWT_ROLE=authenticated.'
    when 'token_exp_missing'
      then 'The claim "exp" is required: the time at which the token ends, in seconds since 1970.'
    when 'token_expired'
      then 'The claim "exp" is past: get a new token.'
    when 'token_exp_too_late'
      then 'The claim "exp" is further away than this API allows. Have your provider sign tokens for a shorter time, or set JWT_MAX_LIFETIME to the longest, in seconds.'
    when 'token_aud_refused'
      then 'The claim "aud" is not the audience of this API. Set JWT_AUD to what your provider writes, or to none where it writes none.'
    when 'token_iss_refused'
      then 'The claim "iss" is not the issuer of this API. Set JWT_ISS to what your provider writes, to the character.'
    when 'token_sub_missing'
      then 'The claim "sub" is required: it names the user.'
    when 'token_sub_invalid'
      then 'The claim "sub" must be a text of 1 to 255 characters.'
  end
$$;

comment on function request.token_hint(text) is
  'What to do about a fault of a token: the claim, and the setting of the server.';

grant execute on function request.token_hint(text) to anonymous, authenticated;
