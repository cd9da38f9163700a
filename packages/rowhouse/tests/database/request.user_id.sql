-- request.user_id(): who is asking.
begin;
set local search_path = tap, public;
select plan(16);

select is(request.user_id(), null, 'Outside a request nobody asks');

select act_anonymously();

select is(request.user_id(), null, 'Anonymous is nobody');

select act_with('{"role": "authenticated", "sub": null}');

select is(request.user_id(), null, 'A sub of null is nobody');

select act_with('{"role": "authenticated", "sub": ""}');

select is(request.user_id(), null, 'An empty sub is nobody');

select act_with('{"role": "authenticated", "sub": "A11CE000-0000-4000-8000-000000000000"}');

select is(request.user_id(), alice(), 'A sub in upper case is the same user');

select act_with('{"role": "authenticated", "user_id": "b0b00000-0000-4000-8000-000000000000"}');

select is(request.user_id(), null, 'No claim but sub says who asks');

select act_with('{"role": "authenticated", "sub": "alice"}');

select throws_ok(
  'select request.user_id()',
  '22P02', 'invalid input syntax for type uuid: "alice"',
  'A sub that is no UUID is an error'
);

select act_as(alice());

select is(request.user_id(), alice(), 'Alice is Alice');

-- The policies are only as fast as this function is inlined into them: then PostgreSQL looks
-- the claim up once and goes to the index with it, and calls nothing for each row.

reset role;

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

grant execute on function pg_temp.plan_of(text) to authenticated;

select volatility_is(
  'request', 'user_id', array[]::name[], 'stable',
  'Within a statement it is always the same user'
);

set local enable_seqscan = off;
set local enable_bitmapscan = off;
select act_as(alice());

select matches(
  pg_temp.plan_of('select * from api.tasks order by id desc limit 20'),
  'Index Scan Backward using tasks_pkey on tasks\s+Index Cond: \(user_id = .*current_setting.*\)\s*$',
  'A list of tasks, newest first, reads the primary key backwards and filters nothing'
);

select matches(
  pg_temp.plan_of('select * from api.users'),
  'Index Scan using users_pkey on users\s+Index Cond: \(id = .*current_setting.*\)\s*$',
  'Reading oneself goes by the primary key and filters nothing'
);

select doesnt_match(
  pg_temp.plan_of(statement),
  'request\.\w+\(|Filter|SubPlan|InitPlan',
  'No function is called for each row by: ' || statement
)
from (
  values
    ('select * from api.tasks'),
    ('update api.tasks set completed = true'),
    ('delete from api.tasks'),
    ('select * from api.users'),
    ($$update api.users set name = 'Alice'$$)
) as policed (statement);

select * from finish();
rollback;
