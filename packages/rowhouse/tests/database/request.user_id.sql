-- request.user_id(): who is asking.
begin;
set local search_path = tap, public;
select plan(22);

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

-- Other policies beside it do not keep the list from its index. A condition that PostgreSQL takes for
-- leaky would be asked only after a restrictive policy, for each row of all users. (Two permissive
-- policies are one ANY from PostgreSQL 18 on, and before that two scans below a BitmapOr.)

reset role;

select matches(
  pg_temp.plan_of('select 1 from api.tasks'),
  'Index Only Scan using tasks_pkey on tasks\s+Index Cond: \(user_id = \(NULLIF\(\(\(NULLIF\(current_setting\(.*\)\)::uuid\)\s*$',
  'The question whether it may be planned is answered before, and is not in the plan'
)
from act_as(alice());

reset role;
create policy select_visible on api.tasks as restrictive for select to authenticated
using (title <> 'hidden');
select act_as(alice());

select matches(
  pg_temp.plan_of('select * from api.tasks order by id desc limit 20'),
  'Index Scan Backward using tasks_pkey on tasks\s+Index Cond: \(user_id = .*current_setting.*\)\s+Filter: \(title <> ''hidden''::text\)\s*$',
  'With a restrictive policy, the list goes to the index with the user'
);

select matches(
  pg_temp.plan_of($$select * from api.tasks where title like 'a%' order by id desc limit 20$$),
  'Index Scan Backward using tasks_pkey on tasks\s+Index Cond: \(user_id = .*current_setting.*\)\s+Filter: .*title',
  'With a restrictive policy and a filter, it does as well'
);

reset role;
drop policy select_visible on api.tasks;

create policy select_welcome on api.tasks for select to authenticated
using (user_id = 'b0b00000-0000-4000-8000-000000000000');

set local enable_bitmapscan = on;
select act_as(alice());

select matches(
  pg_temp.plan_of('select * from api.tasks'),
  '^(?!.*Filter).*Index Scan (using|on) tasks_pkey.*Index Cond: \(user_id = (ANY|.*Index Cond: \(user_id = )',
  'With several permissive policies, the index is searched for each'
);

reset role;
set local enable_bitmapscan = off;
drop policy select_welcome on api.tasks;
create table public.memberships (user_id uuid, friend uuid, primary key (user_id, friend));
grant select on public.memberships to authenticated;

create policy select_friends on api.tasks for select to authenticated
using (user_id = any (array(select friend from public.memberships where memberships.user_id = (select request.user_id()))));

alter policy select_own on api.tasks using (false);
select act_as(alice());

select matches(
  pg_temp.plan_of('select * from api.tasks'),
  'Index Scan using tasks_pkey on tasks\s+Index Cond: \(user_id = ANY \(',
  'With a membership, the index is searched for the owners'
);

select matches(
  pg_temp.plan_of('select * from api.tasks'),
  'Scan using memberships_pkey on memberships\s+Index Cond: \(user_id = ',
  'With a membership, those of the caller are searched by index'
);

select * from finish();
rollback;
