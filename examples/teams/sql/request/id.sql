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
