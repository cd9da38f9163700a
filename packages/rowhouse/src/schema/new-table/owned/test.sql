-- api.__table__: what a row may hold, and who reaches it. Alice has rows 1 and 2, Bob has row 3, no
-- user has row 9. touched() undoes what it counts.
begin;
set local search_path = tap, public;
select plan(35);

insert into api.users (id)
values (alice()), (bob());

insert into api.__table__ (user_id, id, title)
values
  (alice(), row_id(1), 'The first of Alice'),
  (alice(), row_id(2), 'The second of Alice'),
  (bob(), row_id(3), 'The first of Bob');

-- The table, as declared

select columns_are(
  'api', '__table__',
  array['user_id', 'id', 'title', 'created_at', 'updated_at'],
  'The table has these columns'
);

select col_default_is(
  'api', '__table__', 'user_id', 'request.user_id()',
  'A row belongs to the caller unless it names its owner'
);

select col_default_is(
  'api', '__table__', 'id', 'request.uuid_v7()',
  'A row without an id gets one of version 7'
);

select col_not_null('api', '__table__', name, format('A row must have %s', name))
from unnest(array['user_id', 'id', 'title', 'created_at', 'updated_at']) as needed (name);

select col_is_pk(
  'api', '__table__', array['user_id', 'id'],
  'A row is known by its owner first, and its id'
);

select fk_ok(
  'api', '__table__', 'user_id',
  'api', 'users', 'id',
  'The owner of a row is a user'
);

select is(
  (select confdeltype::text from pg_constraint where conrelid = 'api.__table__'::regclass and contype = 'f'),
  'c',
  'Rows go with their owner'
);

select indexes_are('api', '__table__', array['__table___pkey'], 'The primary key is the only index');

select triggers_are(
  'api', '__table__',
  array['add_user', 'check_if_match', 'limit_deleted_rows', 'limit_updated_rows', 'step_updated_at'],
  'The table has these triggers'
);

select ok(
  (select relrowsecurity and relforcerowsecurity from pg_class where oid = 'api.__table__'::regclass),
  'Row-level security is on, and forced on the owner of the table too'
);

select is(
  privileges_on('api.__table__'),
  array[
    'authenticated delete',
    'authenticated insert (user_id, id, title)',
    'authenticated select (user_id, id, title, created_at, updated_at)',
    'authenticated update (user_id, id, title)'
  ],
  'Users hold these privileges, and no other role holds any'
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
    where schemaname = 'api' and tablename = '__table__'
    order by policyname
  ),
  array[
    'delete_own permissive for delete to {authenticated} using',
    'insert_own permissive for insert to {authenticated} with check',
    'select_own permissive for select to {authenticated} using',
    'update_own permissive for update to {authenticated} using with check'
  ],
  'The table has one policy for each command, for authenticated alone'
);

-- What a row may hold

select throws_constraint(
  format('insert into api.__table__ (user_id, id, title) values (alice(), %L, %L)', id, title),
  '23514', violated,
  'A row may not have ' || meaning
)
from (
  values
    (row_id(9)::text, '', '__table___title_length', 'an empty title'),
    (row_id(9)::text, repeat('a', 201), '__table___title_length', 'a title of 201 characters'),
    ('00000000-0000-4000-8000-000000000042', 'x', '__table___id_version', 'an id of version 4')
) as unfit (id, title, violated, meaning);

-- Alice and her own rows

select act_as(alice());

select results_eq(
  'select title from api.__table__ order by id',
  array['The first of Alice', 'The second of Alice'],
  'Alice sees her own rows, and no other'
);

select is(
  touched($$insert into api.__table__ (title) values ('Another') returning user_id, id$$),
  1::bigint,
  'Alice creates a row, and gets it back'
);

select is(
  touched($$insert into api.__table__ (user_id, id, title) values (alice(), row_id(9), 'Another')$$),
  1::bigint,
  'Alice names every column that a client may write'
);

select is(
  touched($$update api.__table__ set title = 'Changed' where id = row_id(1) returning updated_at$$),
  1::bigint,
  'Alice changes a row of hers'
);

select is(
  touched($$update api.__table__ set title = 'Changed'$$),
  2::bigint,
  'Alice changes her own rows alone when she names none'
);

select is(
  touched($$delete from api.__table__ where id = row_id(1)$$),
  1::bigint,
  'Alice deletes a row of hers'
);

select is(
  touched($$delete from api.__table__$$),
  2::bigint,
  'Alice deletes her own rows alone when she names none'
);

-- Alice and the row of Bob

select is(
  touched(statement),
  0::bigint,
  format('Alice cannot %s the row of Bob', verb)
)
from (
  values
    ('read', $$select from api.__table__ where id = row_id(3)$$),
    ('change', $$update api.__table__ set title = 'Changed' where id = row_id(3)$$),
    ('delete', $$delete from api.__table__ where id = row_id(3)$$)
) as attempt (verb, statement);

select throws_ok(
  $$insert into api.__table__ (user_id, title) values (bob(), 'A gift')$$,
  '42501', 'new row violates row-level security policy for table "__table__"',
  'Alice cannot create a row for Bob'
);

-- Without a condition, since reading the row would ask the policy of select, too.
select throws_ok(
  $$update api.__table__ set user_id = bob()$$,
  '42501', 'new row violates row-level security policy for table "__table__"',
  'Alice cannot give a row of hers to Bob'
);

-- Without a token

select act_anonymously();

select throws_ok(
  statement,
  '42501', 'permission denied for schema api',
  format('Without a token, no row can be %s', done)
)
from (
  values
    ('read', 'select id from api.__table__'),
    ('created', $$insert into api.__table__ (title) values ('x')$$),
    ('changed', $$update api.__table__ set title = 'x'$$),
    ('deleted', 'delete from api.__table__')
) as attempt (done, statement);

select * from finish();
rollback;
