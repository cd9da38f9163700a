-- request.user_id_for(): a UUID for the user of a provider. The expected values are those that
-- SHA-256 gives in any other language.
begin;
set local search_path = tap, public;
select plan(8);

select is(
  request.user_id_for('https://issuer.example/', 'auth0|6523'),
  '95febf33-e689-86fc-8522-f84b2ca388f8'::uuid,
  'The id of a user of Auth0'
);

select is(
  request.user_id_for('https://issuer.example/', 'Zoë 🦊'),
  '46de97cd-17a4-8316-97ee-5129a3f0738e'::uuid,
  'The id of a user whose name is not ASCII'
);

select is(
  substring(request.user_id_for('i', number::text)::text from 15 for 1),
  '8',
  'Its version is 8, whatever the sub'
)
from generate_series(1, 3) as number;

select matches(
  request.user_id_for('i', 'a')::text,
  '^.{19}[89ab]',
  'Its variant is that of RFC 9562'
);

select isnt(
  request.user_id_for('https://a.example', 'alice'),
  request.user_id_for('https://b.example', 'alice'),
  'The users of another issuer are others'
);

select isnt(
  request.user_id_for('a', 'b'),
  request.user_id_for('ab', ''),
  'What belongs to the issuer is not taken for the sub'
);

select * from finish();
rollback;
