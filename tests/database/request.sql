-- The schema request: who may execute what, and what every policy relies on.
begin;
set local search_path = tap, public;
select plan(10);

select is(
  array(
    select concat_ws(
      ' ',
      coalesce(nullif(grantee, 0)::regrole::text, 'public'),
      format('%s(%s)', proname, oidvectortypes(proargtypes)),
      case when is_grantable then 'with grant option' end
    ) collate "C"
    from pg_proc
    cross join aclexplode(coalesce(proacl, acldefault('f', proowner)))
    where pronamespace = 'request'::regnamespace
    and grantee <> proowner
    -- Those of shared tables: see the tests of their members.
    and not (prosecdef and proname like 'is\_member\_of\_%')
    order by 1
  ),
  array[
    'anonymous check()',
    'anonymous claims()',
    'anonymous header(text)',
    'anonymous id()',
    'anonymous plannable()',
    'anonymous token_fault(jsonb)',
    'anonymous token_hint(text)',
    'anonymous user_id()',
    'anonymous user_id_for(text, text)',
    'authenticated check()',
    'authenticated claims()',
    'authenticated email()',
    'authenticated header(text)',
    'authenticated id()',
    'authenticated is_blank(text)',
    'authenticated plannable()',
    'authenticated token_fault(jsonb)',
    'authenticated token_hint(text)',
    'authenticated user_id()',
    'authenticated user_id_for(text, text)',
    'authenticated uuid_v7()',
    'identity_service header(text)',
    'identity_service is_blank(text)'
  ],
  'Users may execute every function, anonymous and the sign-in service what they need, and PUBLIC none'
);

-- The caller

select act_anonymously();

select is(request.user_id(), null, 'Anonymous is no user');

select lives_ok('select request.check()', 'Anonymous passes the pre-request check');

select act_with('{"role": "authenticated", "user_id": "b0b00000-0000-4000-8000-000000000000"}');

select is(request.user_id(), null, 'No claim but sub names the caller');

select throws_detail(
  'select request.check()',
  'PT401', 'token_exp_missing',
  'A token that does not expire is refused'
);

reset role;
select configure_tokens();
select act_as(alice(), 'alice@example.com');

select is(request.user_id(), alice(), 'The sub claim names the caller');

select is(request.email(), 'alice@example.com', 'The email claim is the address of the caller');

select lives_ok('select request.check()', 'Alice passes the pre-request check');

select throws_detail(
  $$
    do $do$
    begin
      perform set_config('request.jwt.claims', (tap.sound_claims() - 'sub')::text, true);
      perform request.check();
    end
    $do$
  $$,
  'PT401', 'token_sub_missing',
  'A token without a user is refused'
);

-- Policies are only as fast as request.user_id() is inlined into them: PostgreSQL then reads the
-- claim once and searches the index for it.

create function pg_temp.plan_of(statement text)
returns text
language plpgsql
as $$
declare
  line text;
  lines text := '';
begin
  for line in execute 'explain (costs off) ' || statement loop
    lines := lines || line || e'\n';
  end loop;

  return lines;
end
$$;

set local enable_seqscan = off;
set local enable_bitmapscan = off;

select matches(
  pg_temp.plan_of('select * from api.users'),
  'Index Scan using users_pkey on users\s+Index Cond: \(id = .*current_setting.*\)\s*$',
  'A policy searches the primary key for the caller, and calls no function for each row'
);

reset role;
select * from finish();
rollback;
