create function request.email()
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

comment on function request.email() is
  'The email claim of the JWT, which the issuer of the token has signed; null when there is none, or when email_verified is false.';

grant execute on function request.email() to authenticated;
