-- migrate:up

set local lock_timeout = '3s';

create function private.add_user()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  -- Outside a request there is no caller. Who may not make users names one who is there.
  if request.user_id() is not null
    and has_any_column_privilege('api.users', 'insert')
  then
    insert into api.users (id, email)
    values (request.user_id(), request.email())
    on conflict (id) do nothing;
  end if;

  return null;
end
$$;

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

create or replace function request.email()
returns text
language sql
stable
parallel safe
as $$
  -- Some providers also write an address that nobody has confirmed, and say so beside it.
  select case
    when claims ->> 'email_verified' is distinct from 'false'
      then nullif(claims ->> 'email', '')
  end
  from request.claims() as claims
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

create trigger add_user
before insert on api.tasks
for each statement
execute function private.add_user();

comment on function private.add_user() is
  'Before an insert of rows that a user owns: makes the caller''s row in api.users where it is missing, as api.me() does.';

comment on function request.email() is
  'The email claim of the JWT, which the issuer of the token has signed; null when there is none, or when email_verified is false.';

comment on function request.token_hint(text) is
  'What to do about a fault of a token: the claim, and the setting of the server.';

comment on function request.user_id_for(text, text) is
  'The id of the user whose provider names them by what is no UUID: always the same for the same iss and sub claims, and another for any other.';

grant execute on function request.token_hint(text) to anonymous;

grant execute on function request.token_hint(text) to authenticated;

grant execute on function request.user_id_for(text, text) to anonymous;

grant execute on function request.user_id_for(text, text) to authenticated;

notify pgrst, 'reload schema';

-- migrate:down

set local lock_timeout = '3s';

drop trigger add_user on api.tasks;

drop function private.add_user();

drop function request.token_hint(text);

drop function request.user_id_for(text, text);

create or replace function request.check()
returns void
language plpgsql
set search_path = ''
as $$
declare
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
  if request.claims() = '{"role": "anonymous"}' then
    return;
  end if;

  if fault is not null then
    raise sqlstate 'PT401' using
      message = 'The token was refused.',
      detail = fault,
      hint = 'Sign in again. The detail names the claim: exp, aud, iss, sub and role are all required.';
  end if;
end
$$;

create or replace function request.email()
returns text
language sql
stable
parallel safe
as $$
  select nullif(request.claims() ->> 'email', '')
$$;

create or replace function request.token_fault()
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

comment on function request.email() is
  'The email claim of the JWT, which the issuer of the token has signed; null when there is none.';

notify pgrst, 'reload schema';
