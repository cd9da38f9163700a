-- api.tasks: columns, keys and triggers. The superuser writes here; policies.tasks.sql tests who
-- else may. Alice and Bob exist, and have no tasks yet.
begin;
set local search_path = tap, public;
select plan(42);

insert into api.users (id)
values (alice()), (bob());

select is(
  array(
    select concat_ws(
      ' ',
      attname,
      format_type(atttypid, atttypmod),
      case when attnotnull then 'not null' end,
      'default ' || pg_get_expr(adbin, adrelid)
    )
    from pg_attribute
    left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where attrelid = 'api.tasks'::regclass and attnum > 0 and not attisdropped
    order by attnum
  ),
  array[
    'user_id uuid not null default request.user_id()',
    'id uuid not null default request.uuid_v7()',
    'title text not null',
    $$description text not null default ''::text$$,
    'completed boolean not null default false',
    'created_at timestamp with time zone not null default now()',
    'updated_at timestamp with time zone not null default now()'
  ],
  'Tasks have these columns'
);

select triggers_are(
  'api', 'tasks',
  array['add_user', 'check_if_match', 'limit_deleted_rows', 'limit_updated_rows', 'step_updated_at'],
  'Tasks have these triggers'
);

select indexes_are('api', 'tasks', array['tasks_pkey'], 'The primary key is the only index');

select col_is_pk(
  'api', 'tasks', array['user_id', 'id'],
  'A task is known by its owner first, and its id'
);

select fk_ok(
  'api', 'tasks', 'user_id',
  'api', 'users', 'id',
  'The owner of a task is a user'
);

-- Defaults

select act_as(alice());
reset role;

insert into api.tasks (title)
values ('Alice buys milk');

select results_eq(
  $$
    select user_id, substring(id::text from 15 for 1), description, completed, created_at, updated_at
    from api.tasks
  $$,
  $$values (alice(), '7', '', false, now(), now())$$,
  'A task that is created with nothing but a title belongs to the caller, is new and not done'
);

set local request.jwt.claims = '';

select throws_ok(
  $$insert into api.tasks (title) values ('x')$$,
  '23502', 'null value in column "user_id" of relation "tasks" violates not-null constraint',
  'Without a caller, a task must name its owner'
);

-- What a row may hold

create function pg_temp.create_with(name text, value text)
returns text
language sql
as $$
  select case name
    when 'title' then format('insert into api.tasks (user_id, title) values (alice(), %L)', value)
    else format(
      'insert into api.tasks (user_id, title, %I) values (alice(), ''x'', %L)',
      name,
      value
    )
  end;
$$;

select lives_ok(pg_temp.create_with(column_name, value), 'A task may have ' || meaning)
from (
  values
    ('title', 'x', 'a title of one character'),
    ('title', repeat('ä', 200), 'a title of 200 characters, of two bytes each'),
    ('title', '  x', 'a title that starts with blanks'),
    ('description', '', 'an empty description'),
    ('description', repeat('ä', 10000), 'a description of 10,000 characters, of two bytes each'),
    ('id', '00000000-0000-7000-8000-000000000042', 'an id of version 7 that the client made'),
    ('completed', 'true', 'been done already')
) as fit (column_name, value, meaning);

select throws_constraint(
  pg_temp.create_with(column_name, value),
  '23514', violated,
  'A task may not have ' || meaning
)
from (
  values
    ('title', '', 'tasks_title_length', 'an empty title'),
    ('title', repeat('a', 201), 'tasks_title_length', 'a title of 201 characters'),
    ('title', ' ', 'tasks_title_not_blank', 'a blank title'),
    ('title', e' \t\r\n', 'tasks_title_not_blank', 'a title of blanks, tabs and line feeds'),
    ('description', repeat('a', 10001), 'tasks_description_length', 'a description of 10,001 characters'),
    ('id', '00000000-0000-4000-8000-000000000042', 'tasks_id_version', 'an id of version 4'),
    ('id', '77777777-7777-1777-7777-777777777777', 'tasks_id_version', 'an id of version 1'),
    ('id', '00000000-0000-0000-0000-000000000000', 'tasks_id_version', 'the nil id')
) as unfit (column_name, value, violated, meaning);

select throws_ok(
  pg_temp.create_with(column_name, null),
  '23502',
  format('null value in column "%s" of relation "tasks" violates not-null constraint', column_name),
  format('A task must have %s', column_name)
)
from unnest(
  array['id', 'title', 'description', 'completed', 'created_at', 'updated_at']
) as needed (column_name);

-- The owner

select throws_constraint(
  $$insert into api.tasks (user_id, title) values ('ca401000-0000-4000-8000-000000000000', 'x')$$,
  '23503', 'tasks_user_id_fkey',
  'A task cannot belong to a user who does not exist'
);

select throws_constraint(
  $$
    insert into api.tasks (user_id, id, title)
    values (alice(), row_id(1), 'x'), (alice(), row_id(1), 'y')
  $$,
  '23505', 'tasks_pkey',
  'Alice cannot have two tasks with one id'
);

select lives_ok(
  $$
    insert into api.tasks (user_id, id, title)
    values (alice(), row_id(2), 'x'), (bob(), row_id(2), 'y')
  $$,
  'Alice and Bob can each have a task with the same id'
);

select throws_constraint(
  $$update api.users set id = 'ca401000-0000-4000-8000-000000000000' where id = alice()$$,
  '23503', 'tasks_user_id_fkey',
  'A user who has tasks keeps their id'
);

select is(
  (select confdeltype::text from pg_constraint where conname = 'tasks_user_id_fkey'),
  'c',
  'Tasks go with their owner'
);

-- The version of a row, and how many rows one request may change

update api.tasks
set completed = true
where title = 'Alice buys milk';

select ok(
  (select updated_at > created_at from api.tasks where title = 'Alice buys milk'),
  'A change of a task moves updated_at forward'
);

create temporary table writes (verb, statement) as
values
  ('change', 'update api.tasks set completed = true'),
  ('deletion', 'delete from api.tasks');

-- Which of the two methods it is makes no difference to the trigger.
set local request.method = 'PATCH';
set local request.headers = '{"prefer": "max-affected=1"}';

select throws_detail(
  statement,
  'PT400', 'too_many_rows',
  format('A %s that allows itself one task cannot affect more', verb)
)
from writes;

set local request.headers = '{"if-match": "2001-01-01T00:00:00Z"}';

select throws_detail(
  statement,
  'PT412', 'row_stale',
  format('A %s of a task is refused with a stale If-Match', verb)
)
from writes;

set local request.headers = '';
set local request.method = '';

-- The end of an account

delete from api.tasks;

insert into api.tasks (user_id, title)
values (alice(), 'Alice buys milk'), (alice(), 'Alice bakes bread'), (bob(), 'Bob mends the bike');

delete from api.users
where id = alice();

select results_eq(
  'select title from api.tasks',
  array['Bob mends the bike'],
  'The tasks of Alice go with her, and those of Bob stay'
);

-- The sign-in service: it reads no task, and takes those of a deleted account along

insert into identity.users (id, email)
values (alice(), 'alice@example.com');

insert into api.users (id)
values (alice());

insert into api.tasks (user_id, title)
values (alice(), 'Alice is back');

grant usage on schema tap to identity_service;
grant execute on all functions in schema tap to identity_service;
grant select on all tables in schema tap to identity_service;
set local role identity_service;

select throws_ok(
  'select from api.tasks',
  '42501', 'permission denied for table tasks',
  'The sign-in service cannot read tasks'
);

delete from identity.users
where id = alice();

reset role;

select is_empty(
  'select id from api.tasks where user_id = alice()',
  'With the account of Alice her tasks are gone'
);

select isnt_empty(
  'select id from api.tasks where user_id = bob()',
  'Those of Bob stay'
);

select * from finish();
rollback;
