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
