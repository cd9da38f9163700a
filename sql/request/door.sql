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
