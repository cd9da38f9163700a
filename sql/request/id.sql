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
