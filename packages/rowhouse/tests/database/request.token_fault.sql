-- request.token_fault(jsonb): what is wrong with a token. Every token here is a sound one, but for
-- the claim under test.
begin;
set local search_path = tap, public;
select plan(80);

create function pg_temp.fault_of(claims jsonb)
returns text
language sql
as $$
  select request.token_fault(claims);
$$;

create function pg_temp.fault_with(name text, value jsonb)
returns text
language sql
as $$
  select pg_temp.fault_of(tap.sound_claims() || jsonb_build_object(name, value));
$$;

grant execute on all functions in schema pg_temp to public;
set local role authenticated;

select is(
  pg_temp.fault_of(sound_claims()),
  'token_aud_refused',
  'A server without an aud refuses all users'
);

set local app.settings.jwt_aud = 'rowhouse';

select is(
  pg_temp.fault_of(sound_claims()),
  'token_iss_refused',
  'A server without an iss refuses all users'
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
    ('exp', 'token_exp_missing'),
    ('aud', 'token_aud_refused'),
    ('iss', 'token_iss_refused'),
    ('sub', 'token_sub_missing')
) as matrix (claim, fault);

-- role: what PostgREST made of the token

set local role anonymous;

select is(
  pg_temp.fault_of(claims),
  'token_role_refused',
  name || ' is refused'
)
from (
  values
    (sound_claims() - 'role', 'A token that names no role'),
    (sound_claims() || '{"role": "anonymous"}', 'A token for the role anonymous'),
    ('{}'::jsonb, 'A token without any claim')
) as token (claims, name);

set local app.settings.jwt_role = 'authenticated';

select is(
  pg_temp.fault_of(sound_claims() - 'role'),
  null,
  'Where the server says so, a token that names no role is that of a user'
);

select is(
  pg_temp.fault_of('{"role": "anonymous"}'),
  'token_exp_missing',
  'Even then it needs every other claim'
);

set local app.settings.jwt_role = 'postgres';

select is(
  pg_temp.fault_of(sound_claims() - 'role'),
  'token_role_refused',
  'No other role is given to a token that names none'
);

set local app.settings.jwt_role = 'authenticated';
reset role;

select is(
  pg_temp.fault_of(sound_claims()),
  'token_role_refused',
  'Any other role is refused, whatever the token says'
);

set local role authenticated;

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
    ('4102444800'::jsonb, 'token_exp_too_late'),
    ('4102444800.5', 'token_exp_too_late'),
    ('1e300', 'token_exp_too_late'),
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

select is(
  pg_temp.fault_with('exp', to_jsonb(extract(epoch from now()) + seconds)),
  fault,
  format('A token for another %s s is %s', seconds, coalesce(fault, 'sound'))
)
from (
  values
    (86400, null),
    (86430, null),
    (86431, 'token_exp_too_late')
) as lifetime (seconds, fault);

set local app.settings.jwt_max_lifetime = '3600';

select is(
  pg_temp.fault_with('exp', to_jsonb(extract(epoch from now()) + seconds)),
  fault,
  format('Where an hour is the longest, a token for another %s s is %s', seconds, coalesce(fault, 'sound'))
)
from (
  values
    (3600, null),
    (3631, 'token_exp_too_late')
) as lifetime (seconds, fault);

set local app.settings.jwt_max_lifetime = '';

select is(
  pg_temp.fault_with('exp', to_jsonb(extract(epoch from now()) + 86431)),
  'token_exp_too_late',
  'An empty setting is a day, too'
);

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

set local app.settings.jwt_aud = 'none';

select is(
  pg_temp.fault_of(claims),
  null,
  name || ' is sound where the server says that tokens name none'
)
from (
  values
    (sound_claims() - 'aud', 'A token without an aud'),
    (sound_claims() || '{"aud": "other"}', 'A token with any aud')
) as token (claims, name);

select configure_tokens();

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
  null,
  format('A sub of %s is sound: request.check() makes a UUID of it', left(value::text, 20))
)
from (
  values
    ('"alice"'::jsonb),
    ('"auth0|6523"'),
    ('"a11ce000000040008000000000000000"'),
    (to_jsonb(repeat('x', 255)))
) as other (value);

select is(
  pg_temp.fault_with('sub', value),
  fault,
  format('A sub of %s is %s', left(value::text, 20), fault)
)
from (
  values
    ('null'::jsonb, 'token_sub_missing'),
    ('""', 'token_sub_invalid'),
    ('1', 'token_sub_invalid'),
    ('true', 'token_sub_invalid'),
    ('["a11ce000-0000-4000-8000-000000000000"]', 'token_sub_invalid'),
    ('{"sub": "alice"}', 'token_sub_invalid'),
    (to_jsonb(repeat('x', 256)), 'token_sub_invalid')
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
