-- request.uuid_v7(): ids that sort by the time they were made.
begin;
set local search_path = tap, public;
select plan(10);

create temporary table made as
select number, request.uuid_v7() as id
from generate_series(1, 5000) as number;

select is(
  (select count(distinct id) from made),
  5000::bigint,
  'No two ids are the same'
);

select is(
  (select array_agg(distinct substring(id::text from 15 for 1)) from made),
  array['7'],
  'Every id is of version 7'
);

select is(
  array(select distinct substring(id::text from 20 for 1) as variant from made order by variant),
  array['8', '9', 'a', 'b'],
  'Every id is of the variant of RFC 9562, whose two free bits vary'
);

select is_empty(
  $$
    select id
    from (select id, lag(id) over (order by number) as one_before from made) as pair
    where id < one_before
  $$,
  'Ids made one after another sort so'
);

select is(
  (select count(distinct right(id::text, 17)) from made),
  5000::bigint,
  'The last 62 bits are random'
);

-- The first 48 bits are milliseconds; the 12 after the version are the fraction of one.

create function pg_temp.milliseconds(id uuid)
returns numeric
language sql
immutable
as $$
  select ('x' || lpad(replace(left(id::text, 13), '-', ''), 16, '0'))::bit(64)::bigint
    + ('x' || substring(id::text from 16 for 3))::bit(12)::int / 4096.0;
$$;

create temporary table around as
select
  extract(epoch from clock_timestamp()) * 1000 as before,
  request.uuid_v7() as id,
  extract(epoch from clock_timestamp()) * 1000 as after;

select ok(
  (select pg_temp.milliseconds(id) between before - 0.001 and after from around),
  'The time in an id is right to the microsecond'
);

select ok(
  (
    select max(pg_temp.milliseconds(id)) - min(pg_temp.milliseconds(id))
      <= extract(epoch from clock_timestamp() - now()) * 1000
    from made
  ),
  'The time in an id is the time of the call, and not of the transaction'
);

select isnt(
  (select min(pg_temp.milliseconds(id)) from made),
  (select max(pg_temp.milliseconds(id)) from made),
  'Time goes on within a transaction'
);

-- Who may call it

set local role anonymous;

select throws_ok(
  'select request.uuid_v7()',
  '42501', 'permission denied for function uuid_v7',
  'Anonymous cannot call it'
);

reset role;
insert into api.users (id) values (alice());
select act_as(alice());

select lives_ok(
  $$insert into api.tasks (title) values ('Alice rests')$$,
  'A user calls it by creating a task'
);

reset role;
select * from finish();
rollback;
