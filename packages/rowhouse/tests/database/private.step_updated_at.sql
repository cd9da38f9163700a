-- private.step_updated_at(): the version of a row. Alice's task 1 was last changed long ago,
-- her task 2 will have been changed in the future: a clock was wrong once.
begin;
set local search_path = tap, public;
select plan(7);

insert into api.users (id)
values (alice());

insert into api.tasks (user_id, id, title, updated_at)
values
  (alice(), row_id(1), 'Long ago', '2001-01-01T00:00:00Z'),
  (alice(), row_id(2), 'Not yet', '2101-01-01T00:00:00Z');

create function pg_temp.version_after_update(id uuid)
returns timestamptz
language sql
as $$
  update api.tasks
  set completed = not completed
  where id = version_after_update.id
  returning updated_at;
$$;

select ok(
  pg_temp.version_after_update(row_id(1)) > now(),
  'A change moves updated_at to the present, and not to the start of the transaction'
);

select ok(
  pg_temp.version_after_update(row_id(1)) < pg_temp.version_after_update(row_id(1)),
  'A second change in the same transaction moves it on'
);

select is(
  pg_temp.version_after_update(row_id(2)),
  '2101-01-01T00:00:00.000001Z'::timestamptz,
  'When the clock has gone back, a change moves it on by the least that there is'
);

select is(
  pg_temp.version_after_update(row_id(2)),
  '2101-01-01T00:00:00.000002Z'::timestamptz,
  'And each further change again'
);

update api.tasks
set updated_at = '2201-01-01T00:00:00Z'
where id = row_id(1);

select ok(
  (select updated_at <= clock_timestamp() from api.tasks where id = row_id(1)),
  'Nobody sets updated_at by hand'
);

select ok(
  (select created_at = now() from api.tasks where id = row_id(1)),
  'A change leaves created_at where it is'
);

update api.users
set name = 'Alice';

select ok(
  (select updated_at > created_at from api.users),
  'A change of a user moves updated_at, too'
);

select * from finish();
rollback;
