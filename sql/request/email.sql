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
