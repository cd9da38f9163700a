-- migrate:up

set local lock_timeout = '3s';

create or replace function request.door()
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
    -- PostgREST answers with this header. An id that was sent it repeats by itself.
    perform set_config('response.headers', '[{"X-Request-Id": "' || id || '"}]', true);
  end if;

  -- Log lines and pg_stat_activity show it.
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

create or replace function request.id()
returns text
language sql
stable
as $$
  select coalesce(
    substring(request.header('x-request-id') from '^[A-Za-z0-9._-]{1,48}$'),
    -- request.door() made it. After a transaction a custom setting is '' and not null.
    nullif(current_setting('request.made_id', true), '')
  )
$$;

comment on function request.door() is
  'The one door that every request passes (db-pre-request): refuses faulty tokens with 401, makes an id for a request that has none, and names the request in application_name.';

comment on function request.id() is
  'The id of the request: the X-Request-Id header where it is 1 to 48 of A-Z a-z 0-9 . _ -, else the one that request.door() made; null outside a request.';

notify pgrst, 'reload schema';

-- migrate:down

set local lock_timeout = '3s';

create or replace function request.door()
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

create or replace function request.id()
returns text
language sql
stable
as $$
  select substring(request.header('x-request-id') from '^[A-Za-z0-9._-]{1,48}$')
$$;

comment on function request.door() is
  'The one door that every request passes (db-pre-request): refuses faulty tokens with 401 and names the request in application_name.';

comment on function request.id() is
  'The X-Request-Id header; null when it was not sent or is not 1 to 48 of A-Z a-z 0-9 . _ -';

notify pgrst, 'reload schema';
