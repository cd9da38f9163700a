-- migrate:up

set local lock_timeout = '3s';

create or replace function request.token_fault()
returns text
language sql
stable
as $$
  -- PostgREST verifies the signature, and exp, nbf and iat where they are present, but accepts a
  -- token without them. This requires them. PostgREST allows 30 s of clock skew, too.
  select case
    -- The role is what PostgREST made of the token. One that names none leaves anonymous, and is
    -- taken for a user where the server says so (JWT_ROLE): see request.check().
    when current_user <> 'authenticated'
      and (
        current_user <> 'anonymous'
        or coalesce(current_setting('app.settings.jwt_role', true), '') <> 'authenticated'
      )
      then 'token_role_refused'
    when jsonb_typeof(claims -> 'exp') is distinct from 'number'
      then 'token_exp_missing'
    when (claims ->> 'exp')::numeric < extract(epoch from now()) - 30
      then 'token_expired'
    when (claims ->> 'exp')::numeric > extract(epoch from now()) + 30
      + coalesce(nullif(current_setting('app.settings.jwt_max_lifetime', true), ''), '86400')::numeric
      then 'token_exp_too_late'
    when current_setting('app.settings.jwt_aud', true) is distinct from 'none'
      and (
        jsonb_typeof(claims -> 'aud') not in ('string', 'array')
        or not coalesce(claims -> 'aud' ? nullif(current_setting('app.settings.jwt_aud', true), ''), false)
      )
      then 'token_aud_refused'
    when claims ->> 'iss' is distinct from nullif(current_setting('app.settings.jwt_iss', true), '')
      or claims ->> 'iss' is null
      then 'token_iss_refused'
    when claims ->> 'sub' is null
      then 'token_sub_missing'
    when jsonb_typeof(claims -> 'sub') <> 'string'
      or char_length(claims ->> 'sub') not between 1 and 255
      then 'token_sub_invalid'
  end
  from request.claims() as claims
$$;

create or replace function request.token_hint(fault text)
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

notify pgrst, 'reload schema';

-- migrate:down

set local lock_timeout = '3s';

create or replace function request.token_fault()
returns text
language sql
stable
as $$
  -- PostgREST verifies the signature, and exp, nbf and iat where they are present, but accepts a
  -- token without them. This requires them. PostgREST allows 30 s of clock skew, too.
  select case
    -- The role is what PostgREST made of the token. One that names none leaves anonymous, and is
    -- taken for a user where the server says so (JWT_ROLE): see request.check().
    when current_user <> 'authenticated'
      and (
        current_user <> 'anonymous'
        or coalesce(current_setting('app.settings.jwt_role', true), '') <> 'authenticated'
      )
      then 'token_role_refused'
    when jsonb_typeof(claims -> 'exp') is distinct from 'number'
      then 'token_exp_missing'
    when (claims ->> 'exp')::numeric < extract(epoch from now()) - 30
      then 'token_expired'
    when current_setting('app.settings.jwt_aud', true) is distinct from 'none'
      and (
        jsonb_typeof(claims -> 'aud') not in ('string', 'array')
        or not coalesce(claims -> 'aud' ? nullif(current_setting('app.settings.jwt_aud', true), ''), false)
      )
      then 'token_aud_refused'
    when claims ->> 'iss' is distinct from nullif(current_setting('app.settings.jwt_iss', true), '')
      or claims ->> 'iss' is null
      then 'token_iss_refused'
    when claims ->> 'sub' is null
      then 'token_sub_missing'
    when jsonb_typeof(claims -> 'sub') <> 'string'
      or char_length(claims ->> 'sub') not between 1 and 255
      then 'token_sub_invalid'
  end
  from request.claims() as claims
$$;

create or replace function request.token_hint(fault text)
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

notify pgrst, 'reload schema';
