create function request.token_fault()
returns text
language sql
stable
as $$
  -- PostgREST verifies the signature, and exp, nbf and iat where they are present, but accepts a
  -- token without them. This requires them. PostgREST allows 30 s of clock skew, too.
  select case
    when claims ->> 'role' is distinct from 'authenticated'
      then 'token_role_refused'
    when jsonb_typeof(claims -> 'exp') is distinct from 'number'
      then 'token_exp_missing'
    when (claims ->> 'exp')::numeric < extract(epoch from now()) - 30
      then 'token_expired'
    when jsonb_typeof(claims -> 'aud') not in ('string', 'array')
      or not coalesce(claims -> 'aud' ? nullif(current_setting('app.settings.jwt_aud', true), ''), false)
      then 'token_aud_refused'
    when claims ->> 'iss' is distinct from nullif(current_setting('app.settings.jwt_iss', true), '')
      or claims ->> 'iss' is null
      then 'token_iss_refused'
    when claims ->> 'sub' is null
      then 'token_sub_missing'
    when claims ->> 'sub' !~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
      then 'token_sub_not_uuid'
  end
  from request.claims() as claims
$$;

comment on function request.token_fault() is
  'A stable code for the first fault of the request''s token; null when it has none.';

grant execute on function request.token_fault() to anonymous, authenticated;
