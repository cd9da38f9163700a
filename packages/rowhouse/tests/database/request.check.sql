-- request.check(): the pre-request check, which runs before every request.

-- A request of its own, which commits: the next one must not find its id again.
begin;
set local request.jwt.claims = '{"role": "anonymous"}';
set local request.headers = '{"x-request-id": "the-one-before"}';
select request.check();
commit;

begin;
set local request.jwt.claims = '{"role": "anonymous"}';
select request.check();
commit;

begin;
set local search_path = tap, public;
select plan(42);

select unalike(
  current_setting('application_name'),
  '%the-one-before%',
  'The id of a request ends with the request'
);

select is(request.id(), null, 'The id that the check made ends with the request, too');

create function pg_temp.come_with(claims jsonb)
returns void
language plpgsql
as $$
begin
  perform set_config('request.jwt.claims', claims::text, true);
  perform request.check();
end
$$;

create function pg_temp.name_with(request_id text)
returns text
language plpgsql
as $$
begin
  perform tap.send_header('x-request-id', request_id);
  perform request.check();
  return current_setting('application_name');
end
$$;

grant execute on all functions in schema pg_temp to public;
select configure_tokens();

-- Who may pass

select act_as(alice());

select lives_ok('select request.check()', 'Alice passes with a sound token');

select act_anonymously();

select lives_ok('select request.check()', 'Anonymous passes without a token');

-- Who may not

set local role authenticated;

select throws_detail(
  format('select pg_temp.come_with(%L)', claims),
  'PT401', fault,
  name
)
from (
  values
    (
      '{"role": "authenticated"}'::jsonb,
      'token_exp_missing',
      'A token that names a role alone is refused'
    ),
    (sound_claims() - 'exp', 'token_exp_missing', 'A token that never expires is refused'),
    (sound_claims() || '{"exp": 1}', 'token_expired', 'A token that has expired is refused'),
    (sound_claims() || '{"aud": "x"}', 'token_aud_refused', 'A token for others is refused'),
    (sound_claims() || '{"iss": "x"}', 'token_iss_refused', 'A token by others is refused'),
    (sound_claims() - 'sub', 'token_sub_missing', 'A token for nobody is refused'),
    (sound_claims() || '{"sub": ""}', 'token_sub_invalid', 'A token with an odd sub is refused')
) as token (claims, fault, name);

set local role anonymous;

select throws_detail(
  format('select pg_temp.come_with(%L)', claims),
  'PT401', 'token_role_refused',
  name
)
from (
  values
    ('{"role": "anonymous", "sub": "x"}'::jsonb, 'An anonymous token that names a user is refused'),
    (sound_claims() || '{"role": "anonymous"}', 'A token that asks for the role anonymous is refused'),
    (sound_claims() - 'role', 'A token that names no role is refused'),
    ('{}', 'A token without claims is refused')
) as token (claims, name);

set local request.jwt.claims = '{"role": "anonymous", "sub": "x"}';

select throws_ok(
  'select request.check()',
  'PT401', 'The token was refused.',
  'A refusal reaches the role anonymous too'
);

reset role;
set local request.jwt.claims = '';

select throws_detail(
  'select request.check()',
  'PT401', 'token_role_refused',
  'A request of which nothing is known is refused'
);

-- Tokens of providers that name their users in other ways

select act_with(sound_claims() || '{"sub": "auth0|6523"}');
select request.check();

select is(
  request.user_id(),
  request.user_id_for('https://issuer.example', 'auth0|6523'),
  'A sub that is no UUID becomes one for the request'
);

select is(
  request.claims() ->> 'original_sub',
  'auth0|6523',
  'The sub of the token stays beside it'
);

select act_as(alice());
select request.check();

select is(request.user_id(), alice(), 'A sub that is a UUID stays as it is');

select is(request.claims() ->> 'original_sub', null, 'It needs no other beside it');

reset role;
set local app.settings.jwt_role = 'authenticated';
set local role anonymous;
set local request.jwt.claims = '{"role": "anonymous"}';
select request.check();

select is(current_user, 'anonymous', 'A request without a token stays anonymous');

select set_config('request.jwt.claims', (sound_claims() - 'role')::text, true);
select request.check();

select is(
  current_user,
  'authenticated',
  'A token without a role is that of a user, where the server says so'
);

select is(request.user_id(), alice(), 'It is that of the user whom it names');

reset role;
set local app.settings.jwt_role = '';
set local request.jwt.claims = '';

-- Every refusal says what to do

select isnt(request.token_hint(fault), null, fault || ' has a remedy')
from (
  select distinct match[1]
  from regexp_matches(
    pg_get_functiondef('request.token_fault(jsonb)'::regprocedure),
    $$'(token_\w+)'$$,
    'g'
  ) as match
) as known (fault);

-- The request id, in application_name

select act_anonymously();
select request.check();

select matches(
  current_setting('application_name'),
  '^rowhouse [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$',
  'A request without an id is given one'
);

select is(
  'rowhouse ' || request.id(),
  current_setting('application_name'),
  'The id that was made is the id of the request'
);

select is(
  current_setting('response.headers')::jsonb,
  jsonb_build_array(jsonb_build_object('X-Request-Id', request.id())),
  'The id that was made is in the response'
);

set local request.made_id = 'as before';

select is(
  pg_temp.name_with(value),
  'rowhouse as before',
  'An odd request id is ignored: ' || meaning
)
from (
  values
    ('', 'nothing'),
    ('a b', 'two words'),
    (repeat('a', 49), '49 characters'),
    (e'a\nLOG: x', 'a forged log line')
) as odd (value, meaning);

select is(
  pg_temp.name_with(repeat('a', 48)),
  'rowhouse ' || repeat('a', 48),
  'A request puts its id into application_name, in full'
);

select act_as(alice());
set local response.headers = '';

select is(
  pg_temp.name_with('42.a_b-C'),
  'rowhouse 42.a_b-C',
  'So does the request of a user'
);

select is(
  current_setting('response.headers'),
  '',
  'An id that was sent is left to PostgREST to repeat'
);

reset role;
select * from finish();
rollback;
