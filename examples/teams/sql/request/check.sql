create function request.check()
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

comment on function request.check() is
  'The pre-request check (db-pre-request), run before every request: refuses faulty tokens with 401, makes an id for a request that has none, and writes the id into application_name.';

grant execute on function request.check() to anonymous, authenticated;
