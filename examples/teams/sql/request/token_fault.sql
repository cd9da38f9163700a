create function request.token_fault(claims jsonb)
returns text
language sql
stable
as $$
  -- One expression without FROM, so that PostgreSQL inlines it into request.check().
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
$$;

comment on function request.token_fault(jsonb) is
  'A stable code for the first fault of a token with these claims; null when it has none.';

grant execute on function request.token_fault(jsonb) to anonymous, authenticated;
