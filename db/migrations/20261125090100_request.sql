-- migrate:up

create function request.claims()
returns jsonb
language sql
stable
parallel safe
as $$
  -- nullif: once set in a session, a custom setting is '' and not null after the transaction.
  select coalesce(nullif(current_setting('request.jwt.claims', true), '')::jsonb, '{}'::jsonb)
$$;

comment on function request.claims() is
  'The claims of the request''s JWT; an empty object outside a request.';

grant execute on function request.claims() to anonymous, authenticated;

create function request.user_id()
returns uuid
language sql
stable
parallel safe
as $$
  -- No SET clause and not security definer, so that PostgreSQL can inline it into policies.
  select nullif(request.claims() ->> 'sub', '')::uuid
$$;

comment on function request.user_id() is
  'The id of the caller: the sub claim of the JWT; null for anonymous.';

grant execute on function request.user_id() to anonymous, authenticated;

create function request.email()
returns text
language sql
stable
parallel safe
as $$
  select nullif(request.claims() ->> 'email', '')
$$;

comment on function request.email() is
  'The email claim of the JWT, which the issuer of the token has signed; null when there is none.';

grant execute on function request.email() to authenticated;

create function request.header(name text)
returns text
language sql
stable
parallel safe
as $$
  select nullif(current_setting('request.headers', true), '')::jsonb ->> lower(name)
$$;

comment on function request.header(text) is
  'A header of the request by its name, in any case; null when it was not sent.';

grant execute on function request.header(text) to anonymous, authenticated;

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

create function request.id()
returns text
language sql
stable
as $$
  select coalesce(
    substring(request.header('x-request-id') from '^[A-Za-z0-9._-]{1,48}$'),
    -- request.check() sets it. nullif: after the transaction the setting is '' and not null.
    nullif(current_setting('request.made_id', true), '')
  )
$$;

comment on function request.id() is
  'The id of the request: the X-Request-Id header where it is 1 to 48 of A-Z a-z 0-9 . _ -, else the one that request.check() made; null outside a request.';

grant execute on function request.id() to anonymous, authenticated;

create function request.check()
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

comment on function request.check() is
  'The pre-request check (db-pre-request), run before every request: refuses faulty tokens with 401, makes an id for a request that has none, and writes the id into application_name.';

grant execute on function request.check() to anonymous, authenticated;

create function request.uuid_v7()
returns uuid
language sql
volatile
parallel safe
as $$
  -- RFC 9562, section 5.7, with method 3 of section 6.2: 48 bits of milliseconds, then 12 bits
  -- of the fraction of the millisecond, so that ids sort in the order they are made.
  -- PostgreSQL has uuidv7() only since 18.
  select encode(
    int8send((us / 1000 << 16) | 28672 | (us % 1000 * 4096 / 1000))
      || substring(uuid_send(gen_random_uuid()) from 9),
    'hex'
  )::uuid
  from (select floor(extract(epoch from clock_timestamp()) * 1000000)::bigint) as clock (us)
$$;

comment on function request.uuid_v7() is
  'A new UUID, version 7, which sorts by creation time.';

grant execute on function request.uuid_v7() to authenticated;

create function request.is_blank(value text)
returns boolean
language sql
immutable
parallel safe
as $$
  -- Spelled out: which characters [[:space:]] and \s match depends on the server's locale.
  select value !~ '[^\s\u0085\u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]'
$$;

comment on function request.is_blank(text) is
  'Whether a text is empty or only white space, of any kind.';

grant execute on function request.is_blank(text) to authenticated;

notify pgrst, 'reload schema';

-- migrate:down

drop function request.is_blank(text);
drop function request.uuid_v7();
drop function request.check();
drop function request.id();
drop function request.token_fault();
drop function request.header(text);
drop function request.email();
drop function request.user_id();
drop function request.claims();

notify pgrst, 'reload schema';
