-- Refuses a JWT_SECRET that PostgREST would misread: it uses whatever it cannot parse as the bytes
-- of an HMAC key, so a damaged public key would become a publicly known secret. `rowhouse start`
-- checks the same.
\getenv secret JWT_SECRET

-- Materialized, so that the casts are not tried on what the conditions before them refuse.
with given as materialized (
  select :'secret' as secret, :'secret' ~ '^\s*[{[]' as is_jwk
),

parsed as materialized (
  select secret, is_jwk, case when is_jwk and pg_input_is_valid(secret, 'jsonb') then secret::jsonb end as jwk
  from given
),

keys as (
  select jsonb_path_query(jwk, '$.keys[*]') as key from parsed where jwk ? 'keys'
  union all
  select jwk from parsed where not jwk ? 'keys'
)

select case
  when secret like '@%'
    then 'starts with @: PostgREST would read the file of that name'
  when secret like '%-----BEGIN%'
    then 'is a PEM key: give it as a JWK (RFC 7517)'
  when is_jwk and jwk is null
    then 'starts like a JWK but is not JSON'
  when is_jwk and not exists (select from keys)
    then 'is a JWK set without a key'
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
    then 'holds a key that is incomplete or too short'
  when octet_length(secret) < 32
    then 'has fewer than 32 bytes: make one with `openssl rand -hex 32`'
end as fault
from parsed
\gset

-- psql leaves the variable unset when the value is null.
\if :{?fault}
select set_config('rowhouse.fault', :'fault', false);
do $$
begin
  raise exception 'JWT_SECRET %', current_setting('rowhouse.fault');
end
$$;
\endif
