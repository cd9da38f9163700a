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
