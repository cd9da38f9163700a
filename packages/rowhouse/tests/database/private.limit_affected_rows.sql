-- private.limit_affected_rows(): how much one request may change. Alice has 101 tasks, one more
-- than the limit.
begin;
set local search_path = tap, public;
select plan(34);

insert into api.users (id)
values (alice()), (bob());

insert into api.tasks (user_id, id, title)
select alice(), row_id(number), 'Task ' || number
from generate_series(1, 101) as number;

create function pg_temp.request(method text, prefer text, statement text)
returns bigint
language plpgsql
as $$
begin
  perform set_config('request.method', method, true);
  perform tap.send_header('prefer', prefer);
  return tap.touched(statement);
end
$$;

grant execute on function pg_temp.request(text, text, text) to public;

create temporary table writes (method, statement) as
values
  ('PATCH', 'update api.tasks set completed = true where id <= row_id(%s)'),
  ('DELETE', 'delete from api.tasks where id <= row_id(%s)');

grant select on writes to public;
select act_as(alice());

select is(
  touched('delete from api.tasks'),
  101::bigint,
  'Outside a request there is no limit'
);

select is(
  pg_temp.request(method, null, format(statement, 100)),
  100::bigint,
  format('A %s may change 100 rows', method)
)
from writes;

select throws_detail(
  format('select pg_temp.request(%L, %L, %L)', method, prefer, format(statement, 101)),
  'PT400', 'too_many_rows',
  format('A %s may not change 101 rows when it %s', method, meaning)
)
from writes
cross join (
  values
    (null, 'prefers nothing'),
    ('return=minimal', 'prefers something else'),
    ('max-affected=100', 'allows itself 100'),
    ('max-affected=', 'allows itself nothing'),
    ('max-affected=many', 'allows itself many'),
    ('max-affected=-1', 'allows itself less than nothing')
) as header (prefer, meaning);

select is(
  pg_temp.request(method, prefer, format(statement, 101)),
  101::bigint,
  format('A %s may change 101 rows when it prefers %s', method, prefer)
)
from writes
cross join (
  values
    ('max-affected=101'),
    ('return=minimal, max-affected=999999999, count=exact'),
    ('max-affected=9999999999999999999999')
) as header (prefer);

select throws_detail(
  format('select pg_temp.request(%L, %L, %L)', method, 'max-affected=1', format(statement, 2)),
  'PT400', 'too_many_rows',
  format('A %s that allows itself one row may not change two', method)
)
from writes;

select throws_detail(
  format('select pg_temp.request(%L, %L, %L)', method, 'max-affected=0', format(statement, 1)),
  'PT400', 'too_many_rows',
  format('A %s that allows itself no row may not change one', method)
)
from writes;

select is(
  pg_temp.request(method, 'max-affected=0', format(statement, 0)),
  0::bigint,
  format('A %s that changes nothing is never too much', method)
)
from writes;

select throws_ok(
  $$select pg_temp.request('DELETE', null, 'delete from api.tasks')$$,
  'PT400', 'The filter matches 101 rows; one request may change 100.',
  'A refusal names both numbers'
);

-- Only a filter can hit more than was meant

select is(
  pg_temp.request(method, null, $$
    insert into api.tasks (id, title)
    select row_id(number), 'Again'
    from generate_series(1, 101) as number
    on conflict (user_id, id) do update
    set title = excluded.title
  $$),
  101::bigint,
  format('A %s names its rows: it may change 101', method)
)
from (values ('POST'), ('PUT')) as naming (method);

select is(
  pg_temp.request('', null, format(statement, 101)),
  101::bigint,
  'After a request, when the setting is empty, there is no limit on what a ' || method || ' would do'
)
from writes;

select act_as(bob());

select is(
  pg_temp.request(method, 'max-affected=0', format(statement, 101)),
  0::bigint,
  format('A %s of Bob does not count the rows of Alice', method)
)
from writes;

reset role;
select * from finish();
rollback;
