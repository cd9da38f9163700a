-- migrate:up

set local lock_timeout = '3s';

drop function request.token_fault();

-- PostgREST prepares its statements, and LIMIT is one of their parameters: PostgreSQL would plan
-- each anew for every request, since it takes a plan for this one limit for a cheaper one.
do $$
begin
  if not exists (
    select from pg_catalog.pg_roles
    where rolname = 'authenticator'
    and 'plan_cache_mode=force_generic_plan' = any (rolconfig)
  ) then
    begin
      alter role authenticator set plan_cache_mode = 'force_generic_plan';
    exception
      -- Where another role has made this one, it only costs time.
      when insufficient_privilege then
        raise warning 'plan_cache_mode of authenticator was not set: only who may alter that role can.';
    end;
  end if;
end
$$;

create or replace function request.check()
returns void
language plpgsql
set search_path = ''
as $$
declare
  claims jsonb := request.claims();
  id text := request.id();
  fault text;
  -- An assignment of one expression is evaluated without the executor, which PERFORM starts.
  ignored text;
begin
  if id is null then
    id := gen_random_uuid();
    ignored := set_config('request.made_id', id, true);
    -- PostgREST sends this header in its response. It repeats an id that the client sent by itself.
    ignored := set_config('response.headers', '[{"X-Request-Id": "' || id || '"}]', true);
  end if;

  -- Log lines and pg_stat_activity show the application name.
  ignored := set_config('application_name', 'rowhouse ' || id, true);

  -- Without a token PostgREST sets exactly this claim.
  if claims = '{"role": "anonymous"}' then
    return;
  end if;

  fault := request.token_fault(claims);

  if fault is not null then
    raise sqlstate 'PT401' using
      message = 'The token was refused.',
      detail = fault,
      hint = request.token_hint(fault);
  end if;

  -- A user is a UUID everywhere but here. The provider's own name for them stays beside it.
  if claims ->> 'sub' !~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    claims := claims || jsonb_build_object(
      'sub',
      request.user_id_for(claims ->> 'iss', claims ->> 'sub'),
      'original_sub',
      claims ->> 'sub'
    );
    ignored := set_config('request.jwt.claims', claims::text, true);
  end if;

  -- A sound token that names no role: see request.token_fault().
  if current_user = 'anonymous' then
    ignored := set_config('role', 'authenticated', true);
  end if;
end
$$;

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

grant execute on function request.token_fault(jsonb) to anonymous;

grant execute on function request.token_fault(jsonb) to authenticated;

notify pgrst, 'reload schema';
notify pgrst, 'reload config';

-- migrate:down

set local lock_timeout = '3s';

drop function request.token_fault(jsonb);

-- The setting stays: roles belong to the server, and other databases on it may use them.

create or replace function request.check()
returns void
language plpgsql
set search_path = ''
as $$
declare
  claims jsonb := request.claims();
  fault text := request.token_fault();
  id text := request.id();
begin
  if id is null then
    id := gen_random_uuid();
    perform set_config('request.made_id', id, true);
    -- PostgREST sends this header in its response. It repeats an id that the client sent by itself.
    perform set_config('response.headers', '[{"X-Request-Id": "' || id || '"}]', true);
  end if;

  -- Log lines and pg_stat_activity show the application name.
  perform set_config('application_name', 'rowhouse ' || id, true);

  -- Without a token PostgREST sets exactly this claim.
  if claims = '{"role": "anonymous"}' then
    return;
  end if;

  if fault is not null then
    raise sqlstate 'PT401' using
      message = 'The token was refused.',
      detail = fault,
      hint = request.token_hint(fault);
  end if;

  -- A user is a UUID everywhere but here. The provider's own name for them stays beside it.
  if claims ->> 'sub' !~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    claims := claims || jsonb_build_object(
      'sub',
      request.user_id_for(claims ->> 'iss', claims ->> 'sub'),
      'original_sub',
      claims ->> 'sub'
    );
    perform set_config('request.jwt.claims', claims::text, true);
  end if;

  -- A sound token that names no role: see request.token_fault().
  if current_user = 'anonymous' then
    perform set_config('role', 'authenticated', true);
  end if;
end
$$;

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

comment on function request.token_fault() is
  'A stable code for the first fault of the request''s token; null when it has none.';

grant execute on function request.token_fault() to anonymous;

grant execute on function request.token_fault() to authenticated;

notify pgrst, 'reload schema';
notify pgrst, 'reload config';
