-- request.token_fault(): what is wrong with a token. Every token here is a sound one, but for
-- the claim under test.
begin;
set local search_path = tap, public;
select plan(74);

create function pg_temp.fault_of(claims jsonb)
returns text
language plpgsql
as $$
begin
  perform set_config('request.jwt.claims', claims::text, true);
  return request.token_fault();
end
$$;

create function pg_temp.fault_with(name text, value jsonb)
returns text
language sql
as $$
  select pg_temp.fault_of(tap.sound_claims() || jsonb_build_object(name, value));
$$;

select is(
  pg_temp.fault_of(sound_claims()),
  'token_aud_refused',
  'A server that was told no aud lets nobody in'
);

set local app.settings.jwt_aud = 'rowhouse';

select is(
  pg_temp.fault_of(sound_claims()),
  'token_iss_refused',
  'A server that was told no iss lets nobody in'
);

select configure_tokens();

select is(pg_temp.fault_of(sound_claims()), null, 'A sound token has no fault');

select is(
  pg_temp.fault_of(sound_claims() || '{"iat": 0, "email": null, "jti": [1]}'),
  null,
  'Further claims are no fault'
);

select is(
  pg_temp.fault_of(sound_claims() - claim),
  fault,
  format('A token without %s is refused', claim)
)
from (
  values
    ('role', 'token_role_refused'),
    ('exp', 'token_exp_missing'),
    ('aud', 'token_aud_refused'),
    ('iss', 'token_iss_refused'),
    ('sub', 'token_sub_missing')
) as matrix (claim, fault);

select is(pg_temp.fault_of('{}'), 'token_role_refused', 'A token without any claim is refused');

-- role

select is(
  pg_temp.fault_with('role', value),
  'token_role_refused',
  format('A role of %s is refused', value)
)
from (
  values
    ('"anonymous"'::jsonb),
    ('"authenticator"'),
    ('"postgres"'),
    ('"Authenticated"'),
    ('""'),
    ('["authenticated"]'),
    ('null')
) as wrong (value);

-- exp

select is(
  pg_temp.fault_with('exp', to_jsonb(extract(epoch from now()) - seconds)),
  fault,
  format('A token that expired %s s ago is %s', seconds, coalesce(fault, 'within the clock skew'))
)
from (
  values
    (0, null),
    (20, null),
    (30, null),
    (30.001, 'token_expired'),
    (40, 'token_expired'),
    (86400, 'token_expired')
) as age (seconds, fault);

select is(
  pg_temp.fault_with('exp', value),
  fault,
  format('An exp of %s is %s', left(value::text, 20), coalesce(fault, 'sound'))
)
from (
  values
    ('4102444800'::jsonb, null),
    ('4102444800.5', null),
    ('1e300', null),
    ('0', 'token_expired'),
    ('-1', 'token_expired'),
    ('-1e300', 'token_expired'),
    ('"4102444800"', 'token_exp_missing'),
    ('"never"', 'token_exp_missing'),
    ('true', 'token_exp_missing'),
    ('[4102444800]', 'token_exp_missing'),
    ('{"exp": 4102444800}', 'token_exp_missing'),
    ('null', 'token_exp_missing')
) as expiry (value, fault);

-- aud

select is(pg_temp.fault_with('aud', value), null, format('An aud of %s is for us', value))
from (
  values
    ('"rowhouse"'::jsonb),
    ('["rowhouse"]'),
    ('["other", "rowhouse"]')
) as ours (value);

select is(
  pg_temp.fault_with('aud', value),
  'token_aud_refused',
  format('An aud of %s is refused', value)
)
from (
  values
    ('"other"'::jsonb),
    ('"Rowhouse"'),
    ('"rowhouse2"'),
    ('""'),
    ('[]'),
    ('["other"]'),
    ('[["rowhouse"]]'),
    ('{"rowhouse": true}'),
    ('1'),
    ('true'),
    ('null')
) as foreign_aud (value);

-- iss

select is(
  pg_temp.fault_with('iss', value),
  'token_iss_refused',
  format('An iss of %s is refused', value)
)
from (
  values
    ('"https://other.example"'::jsonb),
    ('"https://issuer.example/"'),
    ('"HTTPS://issuer.example"'),
    ('["https://issuer.example"]'),
    ('""'),
    ('null')
) as foreign_iss (value);

-- sub

select is(
  pg_temp.fault_with('sub', '"A11CE000-0000-4000-8000-000000000000"'),
  null,
  'A sub in upper case is sound'
);

select is(
  pg_temp.fault_with('sub', value),
  fault,
  format('A sub of %s is %s', value, fault)
)
from (
  values
    ('null'::jsonb, 'token_sub_missing'),
    ('""', 'token_sub_not_uuid'),
    ('"alice"', 'token_sub_not_uuid'),
    ('1', 'token_sub_not_uuid'),
    ('["a11ce000-0000-4000-8000-000000000000"]', 'token_sub_not_uuid'),
    ('"a11ce000000040008000000000000000"', 'token_sub_not_uuid'),
    ('"{a11ce000-0000-4000-8000-000000000000}"', 'token_sub_not_uuid'),
    ('" a11ce000-0000-4000-8000-000000000000"', 'token_sub_not_uuid'),
    ('"a11ce000-0000-4000-8000-000000000000\n"', 'token_sub_not_uuid'),
    ('"a11ce000-0000-4000-8000-00000000000g"', 'token_sub_not_uuid'),
    ('"a11ce000-0000-4000-8000-0000000000000"', 'token_sub_not_uuid')
) as wrong (value, fault);

-- A server whose settings are empty lets nobody in, whatever the token says

select set_config('app.settings.jwt_aud', '', true);

select is(
  pg_temp.fault_with('aud', value),
  'token_aud_refused',
  format('With the aud set to nothing, %s is refused', value)
)
from (values ('"rowhouse"'::jsonb), ('""'), ('[""]'), ('null')) as claim (value);

select configure_tokens();
select set_config('app.settings.jwt_iss', '', true);

select is(
  pg_temp.fault_with('iss', value),
  'token_iss_refused',
  format('With the iss set to nothing, %s is refused', value)
)
from (values ('"https://issuer.example"'::jsonb), ('""'), ('null')) as claim (value);

select * from finish();
rollback;
