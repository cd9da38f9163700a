-- Refuses what PostgREST would misread, as `rowhouse start` does. It uses whatever it cannot parse as the
-- bytes of an HMAC key, so a damaged public key would become a publicly known secret; and a lifetime
-- that is no number would fail with each token.
\getenv secret JWT_SECRET
\set lifetime 86400
\getenv lifetime JWT_MAX_LIFETIME

-- Materialized, so that the casts are not tried on what the conditions before them refuse.
with given as materialized (
  select :'secret' as secret, :'secret' ~ '^\s*[{[]' as is_jwk, :'lifetime' as lifetime
),

parsed as materialized (
  select
    secret,
    is_jwk,
    case when is_jwk and pg_input_is_valid(secret, 'jsonb') then secret::jsonb end as jwk,
    lifetime,
    case when lifetime ~ '^[0-9]{1,9}$' then lifetime::integer end as seconds
  from given
),

keys as (
  select jsonb_path_query(jwk, '$.keys[*]') as key from parsed where jwk ? 'keys'
  union all
  select jwk from parsed where not jwk ? 'keys'
)

select case
  when secret like '@%'
    then 'JWT_SECRET starts with @: PostgREST would read the file of that name'
  when secret like '%-----BEGIN%'
    then 'JWT_SECRET is a PEM key: give it as a JWK (RFC 7517)'
  when is_jwk and jwk is null
    then 'JWT_SECRET starts like a JWK but is not JSON'
  when is_jwk and not exists (select from keys)
    then 'JWT_SECRET is a JWK set without a key'
  when exists (
    select from keys
    where not coalesce(
      case key ->> 'kty'
        when 'oct' then octet_length(key ->> 'k') >= 43
        when 'RSA' then key ?& array['n', 'e']
        when 'EC' then key ?& array['crv', 'x', 'y']
        when 'OKP' then key ?& array['crv', 'x']
      end,
      false
    )
  )
    then 'JWT_SECRET holds a key that is incomplete or too short'
  when octet_length(secret) < 32
    then 'JWT_SECRET has fewer than 32 bytes: make one with `openssl rand -hex 32`'
  when seconds is null or seconds not between 60 and 315360000
    then format('JWT_MAX_LIFETIME is "%s": give a whole number from 60 to 315360000', lifetime)
end as fault
from parsed
\gset

-- psql leaves the variable unset when the value is null.
\if :{?fault}
select set_config('rowhouse.fault', :'fault', false);
do $$
begin
  raise exception '%', current_setting('rowhouse.fault');
end
$$;
\endif
