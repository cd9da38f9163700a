-- migrate:up

create function request.claims()
returns jsonb
language sql
stable
parallel safe
as $$
  -- After a transaction a custom setting is '' and not null, hence the nullif.
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
  -- No SET clause and not security definer: only so does PostgreSQL inline it into policies.
  select nullif(request.claims() ->> 'sub', '')::uuid
$$;

comment on function request.user_id() is
  'The id of the user who is asking: the sub claim of the JWT; null for anonymous.';

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
  'The email claim of the JWT, vouched for by whoever signed it; null when there is none.';

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
  -- PostgREST verifies the signature, and exp, nbf and iat where they are present. What it lets
  -- pass is refused here: a claim that is missing. 30 s is the clock skew that it allows, too.
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
  'The stable code of what is wrong with the request''s token; null when nothing is.';

grant execute on function request.token_fault() to anonymous, authenticated;

create function request.id()
returns text
language sql
stable
as $$
  select substring(request.header('x-request-id') from '^[A-Za-z0-9._-]{1,48}$')
$$;

comment on function request.id() is
  'The X-Request-Id header; null when it was not sent or is not 1 to 48 of A-Z a-z 0-9 . _ -';

grant execute on function request.id() to anonymous, authenticated;

create function request.door()
returns void
language plpgsql
set search_path = ''
as $$
declare
  fault text := request.token_fault();
begin
  if request.id() is not null then
    perform set_config('application_name', 'rowhouse ' || request.id(), true);
  end if;

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

comment on function request.door() is
  'The one door that every request passes (db-pre-request): refuses faulty tokens with 401 and names the request in application_name.';

grant execute on function request.door() to anonymous, authenticated;

create function request.uuid_v7()
returns uuid
language sql
volatile
parallel safe
as $$
  -- RFC 9562, section 5.7, with method 3 of section 6.2: 48 bits of milliseconds, then 12 bits
  -- of the fraction of the millisecond, so that ids made one after another sort so.
  -- PostgreSQL has uuidv7() from 18 on only.
  select encode(
    int8send((us / 1000 << 16) | 28672 | (us % 1000 * 4096 / 1000))
      || substring(uuid_send(gen_random_uuid()) from 9),
    'hex'
  )::uuid
  from (select floor(extract(epoch from clock_timestamp()) * 1000000)::bigint) as clock (us)
$$;

comment on function request.uuid_v7() is
  'A new UUID, version 7: sorts by the time it was made.';

grant execute on function request.uuid_v7() to authenticated;

create function request.is_blank(value text)
returns boolean
language sql
immutable
parallel safe
as $$
  -- Spelled out: what [[:space:]] and \s take for white space depends on the server's locale.
  select value !~ '[^\s\u0085\u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]'
$$;

comment on function request.is_blank(text) is
  'Whether a text shows nothing: it is empty, or all white space of any kind.';

grant execute on function request.is_blank(text) to authenticated;

notify pgrst, 'reload schema';

-- migrate:down

drop function request.is_blank(text);
drop function request.uuid_v7();
drop function request.door();
drop function request.id();
drop function request.token_fault();
drop function request.header(text);
drop function request.email();
drop function request.user_id();
drop function request.claims();

notify pgrst, 'reload schema';
