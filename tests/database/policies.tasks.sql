-- Who reaches api.tasks. Alice has tasks 1 and 2, Bob has task 3, no user has task 9. Nothing
-- here changes them: touched() undoes what it counts.
begin;
set local search_path = tap, public;
select plan(71);

insert into api.users (id)
values (alice()), (bob());

insert into api.tasks (user_id, id, title)
values
  (alice(), row_id(1), 'Alice buys milk'),
  (alice(), row_id(2), 'Alice bakes bread'),
  (bob(), row_id(3), 'Bob mends the bike');

-- Grants and policies, as declared

select ok(
  (select relrowsecurity and relforcerowsecurity from pg_class where oid = 'api.tasks'::regclass),
  'Row-level security is on for tasks, and forced on their owner too'
);

select is(
  privileges_on('api.tasks'),
  array[
    'authenticated delete',
    'authenticated insert (user_id, id, title, description, completed)',
    'authenticated select (user_id, id, title, description, completed, created_at, updated_at)',
    'authenticated update (user_id, id, title, description, completed)'
  ],
  'Users hold these privileges on tasks, and no other role holds any'
);

select is(
  array(
    select concat_ws(
      ' ',
      policyname,
      lower(permissive),
      'for',
      lower(cmd),
      'to',
      roles,
      case when qual is not null then 'using' end,
      case when with_check is not null then 'with check' end
    )
    from pg_policies
    where schemaname = 'api' and tablename = 'tasks'
    order by policyname
  ),
  array[
    'delete_own permissive for delete to {authenticated} using',
    'insert_own permissive for insert to {authenticated} with check',
    'select_own permissive for select to {authenticated} using',
    'update_own permissive for update to {authenticated} using with check'
  ],
  'Tasks have one policy for each command, for authenticated alone'
);

-- Alice and her own rows

select act_as(alice());

select results_eq(
  'select title from api.tasks order by id',
  array['Alice buys milk', 'Alice bakes bread'],
  'Alice sees her own tasks, and no other'
);

select results_eq(
  'select count(*) from api.tasks',
  array[2::bigint],
  'Alice counts her own tasks alone'
);

select is(
  touched($$insert into api.tasks (title) values ('Alice rests')$$),
  1::bigint,
  'Alice creates a task'
);

select is(
  touched($$insert into api.tasks (title) values ('One'), ('Two'), ('Three')$$),
  3::bigint,
  'Alice creates three tasks at once'
);

select is(
  touched($$
    insert into api.tasks (user_id, id, title, description, completed)
    values (alice(), row_id(9), 'Alice rests', 'All day', true)
  $$),
  1::bigint,
  'Alice names every column that a client may write'
);

select is(
  touched($$insert into api.tasks (title) values ('Alice rests') returning user_id, id, title, updated_at$$),
  1::bigint,
  'Alice gets back the task that she creates'
);

select is(
  touched($$update api.tasks set title = 'Alice buys tea' where id = row_id(1)$$),
  1::bigint,
  'Alice changes a task of hers'
);

select is(
  touched($$update api.tasks set completed = true where id = row_id(1) returning title, updated_at$$),
  1::bigint,
  'Alice gets back the task that she changes'
);

select is(
  touched($$update api.tasks set completed = true$$),
  2::bigint,
  'Alice changes her own tasks alone when she names none'
);

select is(
  touched($$delete from api.tasks where id = row_id(1)$$),
  1::bigint,
  'Alice deletes a task of hers'
);

select is(
  touched($$delete from api.tasks where id = row_id(1) returning title$$),
  1::bigint,
  'Alice gets back the task that she deletes'
);

select is(
  touched($$delete from api.tasks$$),
  2::bigint,
  'Alice deletes her own tasks alone when she names none'
);

select is(
  touched($$
    insert into api.tasks (user_id, id, title)
    values (alice(), row_id(1), 'Alice buys tea')
    on conflict (user_id, id) do update
    set user_id = excluded.user_id, id = excluded.id, title = excluded.title
    returning title
  $$),
  1::bigint,
  'Alice writes over a task of hers by upsert'
);

select is(
  touched($$
    insert into api.tasks (id, title)
    values (row_id(1), 'Again'), (row_id(9), 'New')
    on conflict (user_id, id) do nothing
  $$),
  1::bigint,
  'Alice repeats a create: what is there stays, what is missing is made'
);

select throws_constraint(
  $$insert into api.tasks (id, title) values (row_id(1), 'Again')$$,
  '23505', 'tasks_pkey',
  'Alice cannot have two tasks with one id'
);

select throws_ok(
  $$insert into api.tasks (title, created_at) values ('Old', '2001-01-01')$$,
  '42501', 'permission denied for table tasks',
  'Alice cannot say when a task was created'
);

select throws_ok(
  $$update api.tasks set updated_at = '2001-01-01'$$,
  '42501', 'permission denied for table tasks',
  'Alice cannot set the version of a task'
);

select throws_ok(
  'truncate api.tasks',
  '42501', 'permission denied for table tasks',
  'Alice cannot truncate tasks'
);

-- Alice and the rows of Bob: his id is greater than hers

select throws_ok(
  statement,
  '42501', 'new row violates row-level security policy for table "tasks"',
  'Alice cannot ' || verb
)
from (
  values
    (
      'create a task for Bob',
      $$insert into api.tasks (user_id, title) values (bob(), 'From Alice')$$
    ),
    (
      'give Bob a task, even with an update that reads nothing',
      'update api.tasks set user_id = bob()'
    ),
    (
      'make a task that belongs to no user',
      $$insert into api.tasks (user_id, title) values (null, 'Whose?')$$
    ),
    (
      'leave a task without an owner',
      'update api.tasks set user_id = null'
    )
) as attempt (verb, statement);

-- Bob and the rows of Alice: her id is less than his

select act_as(bob());

select is_empty(
  $$select title from api.tasks where id = row_id(1) or user_id = alice()$$,
  'Bob cannot see a task of Alice that he names'
);

select is(
  touched($$update api.tasks set title = 'Bob was here' where id = row_id(1)$$),
  0::bigint,
  'Bob cannot change a task of Alice that he names'
);

select is(
  touched($$update api.tasks set title = 'Bob was here'$$),
  1::bigint,
  'Bob changes his own task alone, even with an update that reads nothing'
);

select is(
  touched($$delete from api.tasks where id = row_id(1)$$),
  0::bigint,
  'Bob cannot delete a task of Alice that he names'
);

select is(
  touched($$delete from api.tasks$$),
  1::bigint,
  'Bob deletes his own task alone, even with a delete that reads nothing'
);

select throws_ok(
  $$insert into api.tasks (user_id, title) values (alice(), 'From Bob')$$,
  '42501', 'new row violates row-level security policy for table "tasks"',
  'Bob cannot create a task for Alice'
);

select throws_ok(
  $$insert into api.tasks (user_id, title) values (bob(), 'For Bob'), (alice(), 'From Bob')$$,
  '42501', 'new row violates row-level security policy for table "tasks"',
  'Bob cannot slip a task for Alice in among his own'
);

select throws_ok(
  $$insert into api.tasks (user_id, title) values (alice(), 'From Bob') returning id$$,
  '42501', 'new row violates row-level security policy for table "tasks"',
  'Bob cannot create a task for Alice and get it back'
);

select throws_ok(
  $$update api.tasks set user_id = alice()$$,
  '42501', 'new row violates row-level security policy for table "tasks"',
  'Bob cannot give Alice a task, even with an update that reads nothing'
);

select throws_ok(
  $$update api.tasks set user_id = alice() where id = row_id(3) returning id$$,
  '42501', 'new row violates row-level security policy for table "tasks"',
  'Bob cannot give Alice a task that he names'
);

select throws_ok(
  $$
    insert into api.tasks (id, title)
    values (row_id(3), 'A gift')
    on conflict (user_id, id) do update
    set user_id = alice()
  $$,
  '42501', 'new row violates row-level security policy for table "tasks"',
  'Bob cannot give Alice a task by upsert'
);

-- Hidden rows look like missing ones: task 1 is hidden from Bob, task 9 does not exist

select is(
  touched($$insert into api.tasks (id, title) values (row_id(1), 'Mine'), (row_id(9), 'Mine')$$),
  2::bigint,
  'Bob takes an id that Alice has as well as one that no user has'
);

select throws_ok(
  $$insert into api.tasks (user_id, id, title) values (alice(), $$ || id || $$, 'From Bob')$$,
  '42501', 'new row violates row-level security policy for table "tasks"',
  'Bob gets the same error when he creates for Alice a task that is ' || fate
)
from (values ('row_id(1)', 'there'), ('row_id(9)', 'not there')) as task (id, fate);

select throws_ok(
  $$
    insert into api.tasks (user_id, id, title)
    values (alice(), $$ || id || $$, 'From Bob')
    on conflict (user_id, id) do $$ || action,
  '42501', 'new row violates row-level security policy for table "tasks"',
  format('Bob gets the same error when he upserts (do %s) a task of Alice that is %s', action, fate)
)
from (values ('row_id(1)', 'there'), ('row_id(9)', 'not there')) as task (id, fate)
cross join (values ('nothing'), ('update set title = excluded.title')) as upsert (action);

select is(
  touched($$update api.tasks set title = '' where id = $$ || id),
  0::bigint,
  'Bob learns nothing from a faulty change of a task that is ' || fate
)
from (values ('row_id(1)', 'hidden'), ('row_id(9)', 'not there')) as task (id, fate);

select send_header('if-match', '2001-01-01T00:00:00Z');

select is(
  touched($$delete from api.tasks where id = $$ || id),
  0::bigint,
  'Bob learns nothing from a stale If-Match on a task that is ' || fate
)
from (values ('row_id(1)', 'hidden'), ('row_id(9)', 'not there')) as task (id, fate);

reset request.headers;

-- A token that names no user

select act_with('{"role": "authenticated"}');

select is_empty('select id from api.tasks', 'A user without a sub sees no task');

select is(
  touched($$update api.tasks set title = 'x'$$),
  0::bigint,
  'A user without a sub changes no task'
);

select is(
  touched($$delete from api.tasks$$),
  0::bigint,
  'A user without a sub deletes no task'
);

select throws_ok(
  $$insert into api.tasks (title) values ('x')$$,
  '42501', 'new row violates row-level security policy for table "tasks"',
  'A user without a sub creates no task'
);

select throws_ok(
  $$insert into api.tasks (user_id, title) values (alice(), 'x')$$,
  '42501', 'new row violates row-level security policy for table "tasks"',
  'A user without a sub creates no task for Alice'
);

select throws_ok(
  $$
    insert into api.tasks (user_id, id, title)
    values (alice(), row_id(1), 'x')
    on conflict (user_id, id) do update
    set title = 'x'
  $$,
  '42501', 'new row violates row-level security policy for table "tasks"',
  'A user without a sub upserts no task of Alice'
);

-- No token, even with usage on the schema api

reset role;
grant usage on schema api to anonymous;
select act_anonymously();

select throws_ok(
  statement,
  '42501', 'permission denied for table tasks',
  'Anonymous cannot ' || verb || ' tasks'
)
from (
  values
    ('select', 'select id from api.tasks'),
    ('count', 'select count(*) from api.tasks'),
    ('insert', $$insert into api.tasks (title) values ('x')$$),
    ('bulk insert', $$insert into api.tasks (title) values ('x'), ('y')$$),
    ('insert and get back', $$insert into api.tasks (title) values ('x') returning id$$),
    ('update', $$update api.tasks set title = 'x' where id = row_id(1)$$),
    ('update all', $$update api.tasks set title = 'x'$$),
    ('delete', 'delete from api.tasks where id = row_id(1)'),
    ('delete all', 'delete from api.tasks'),
    ('upsert', $$insert into api.tasks (title) values ('x') on conflict do nothing$$),
    (
      'upsert over',
      $$
        insert into api.tasks (title)
        values ('x')
        on conflict (user_id, id) do update
        set title = 'x'
      $$
    ),
    ('truncate', 'truncate api.tasks')
) as attempt (verb, statement);

-- The same where every grant is too wide, and the claims are those of Alice

reset role;
grant all on api.tasks to anonymous;
select act_as(alice());
set local role anonymous;

select is_empty(
  'select id from api.tasks',
  'Anonymous sees no task, even with every grant and the claims of Alice'
);

select is(
  touched($$update api.tasks set title = 'x'$$) + touched('delete from api.tasks'),
  0::bigint,
  'Anonymous changes and deletes no task, even with every grant and the claims of Alice'
);

select throws_ok(
  $$insert into api.tasks (id, title) values (row_id(9), 'x')$$,
  '42501', 'new row violates row-level security policy for table "tasks"',
  'Anonymous creates no task, even with every grant and the claims of Alice'
);

-- The owner of the table, who is no superuser and serves no requests

reset role;
select act_as_owner_of('api.tasks');

select is_empty(
  'select id from api.tasks',
  'The owner of the table sees no task, not even with the claims of Alice'
);

select is(
  touched($$update api.tasks set title = 'x'$$) + touched('delete from api.tasks'),
  0::bigint,
  'The owner of the table changes and deletes no task'
);

select throws_ok(
  $$insert into api.tasks (user_id, id, title) values (alice(), row_id(9), 'x')$$,
  '42501', 'new row violates row-level security policy for table "tasks"',
  'The owner of the table creates no task'
);

reset role;
select * from finish();
rollback;
