-- api.__table__: what a row may hold, and who reaches it. Alice owns row 1, Bob is its editor and Carol
-- (11) its viewer; Dave (12) owns row 2; there is no row 9. touched() undoes what it counts.
begin;
set local search_path = tap, public;
select plan(57);

insert into api.users (id)
values (alice()), (bob()), (row_id(11)), (row_id(12));

insert into api.__table__ (id, title, created_at)
values (row_id(1), 'The row of Alice', '2001-01-01'), (row_id(2), 'The row of Dave', '2001-01-01');

insert into api.__table___members (group_id, user_id, role)
values
  (row_id(1), alice(), 'owner'),
  (row_id(1), bob(), 'editor'),
  (row_id(1), row_id(11), 'viewer'),
  (row_id(2), row_id(12), 'owner');

-- The table, as declared

select columns_are(
  'api', '__table__',
  array['id', 'title', 'created_at', 'updated_at'],
  'The table has these columns'
);

select col_default_is(
  'api', '__table__', 'id', 'request.uuid_v7()',
  'A new row gets an id of version 7'
);

select col_not_null('api', '__table__', name, format('A row must have %s', name))
from unnest(array['id', 'title', 'created_at', 'updated_at']) as needed (name);

select col_is_pk('api', '__table__', array['id'], 'A row is known by its id');

select indexes_are('api', '__table__', array['__table___pkey'], 'The primary key is the only index');

select triggers_are(
  'api', '__table__',
  array[
    'add_owner', 'announce_owner', 'check_if_match', 'limit_deleted_rows', 'limit_updated_rows',
    'step_updated_at'
  ],
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
    'authenticated insert (title)',
    'authenticated select (id, title, created_at, updated_at)',
    'authenticated update (title)'
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
      case when with_check = qual then 'with the same check' when with_check is not null then 'with check' end
    )
    from pg_policies
    where schemaname = 'api' and tablename = '__table__'
    order by policyname
  ),
  array[
    'delete_owners permissive for delete to {authenticated} using',
    'insert_users permissive for insert to {authenticated} with check',
    'select_members permissive for select to {authenticated} using',
    'update_editors permissive for update to {authenticated} using with the same check'
  ],
  'The table has one policy for each command, for authenticated alone'
);

select throws_constraint(
  format('insert into api.__table__ (title) values (%L)', title),
  '23514', '__table___title_length',
  'A row may not have ' || meaning
)
from (
  values ('', 'an empty title'), (repeat('a', 201), 'a title of 201 characters')
) as unfit (title, meaning);

-- Without its condition on the user, the subquery of select_members finds the same groups: those whose
-- members the policy of the members shows. But that policy is then asked for each member of all.

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

set local enable_seqscan = off;
set local enable_bitmapscan = off;
select act_as(alice());

select matches(
  pg_temp.plan_of('select title from api.__table__'),
  'using __table___members_\w+ on __table___members\s+Index Cond: \(user_id = ',
  'The groups of the caller are searched by index, and no other members are looked at'
);

reset role;
reset enable_seqscan;
reset enable_bitmapscan;

-- Members, each in their role; act_as() runs before the assertion of its line

select results_eq(
  'select title from api.__table__',
  array['The row of Alice'],
  format('The %s sees the shared row, and no other', role)
)
from (values (alice(), 'owner'), (bob(), 'editor'), (row_id(11), 'viewer')) as person (member, role)
cross join lateral act_as(member);

select is(
  touched($$update api.__table__ set title = 'Changed'$$),
  changed,
  format('The %s changes %s rows when they name none', role, changed)
)
from (
  values
    (alice(), 'owner', 1::bigint),
    (bob(), 'editor', 1),
    (row_id(11), 'viewer', 0)
) as person (member, role, changed)
cross join lateral act_as(member);

select is(
  touched('delete from api.__table__'),
  deleted,
  format('The %s deletes %s rows when they name none', role, deleted)
)
from (
  values
    (alice(), 'owner', 1::bigint),
    (bob(), 'editor', 0),
    (row_id(11), 'viewer', 0)
) as person (member, role, deleted)
cross join lateral act_as(member);

select act_as(bob());

select is(
  touched($$update api.__table__ set title = 'Changed' where id = row_id(1) returning updated_at$$),
  1::bigint,
  'Bob changes the row that he edits, and gets it back'
);

-- Whoever creates a row owns it

select is(
  touched($$insert into api.__table__ (title) values ('One'), ('Two') returning id, title$$),
  2::bigint,
  'Bob creates two rows, and gets them back'
);

select is(
  touched($$insert into api.__table__ (title) values ('One') on conflict (id) do nothing$$),
  1::bigint,
  'Bob creates a row with an upsert that ignores duplicates'
);

select lives_ok(
  $$insert into api.__table__ (title) values ('Of Bob'), ('Of Bob, too')$$,
  'Bob creates rows'
);

select results_eq(
  $$
    select title, user_id, role
    from api.__table__
    join api.__table___members on group_id = id
    where title like 'Of Bob%'
    order by title
  $$,
  $$values ('Of Bob', bob(), 'owner'), ('Of Bob, too', bob(), 'owner')$$,
  'Bob owns the rows that he created'
);

select is(
  array[current_setting('request.new___table__'), current_setting('request.created___table__')],
  array['', ''],
  'The policies do not take a row for new after the statement that created it'
);

select is(
  touched($$delete from api.__table__ where title = 'Of Bob'$$),
  1::bigint,
  'Bob deletes a row that he created'
);

-- The database makes ids: no answer tells whether there is a row with an id. Row 2 is hidden from
-- Bob, there is no row 9

select throws_ok(
  format(statement, id),
  '42501', 'permission denied for table __table__',
  format('Bob cannot %s the id of a row that %s', verb, fate)
)
from (
  values
    ('choose', $$insert into api.__table__ (id, title) values (%L, 'Mine')$$),
    (
      'ignore',
      $$
        insert into api.__table__ (id, title)
        values (%L, 'Mine')
        on conflict (id) do nothing
      $$
    ),
    (
      'take by upsert',
      $$
        insert into api.__table__ (id, title)
        values (%L, 'Mine')
        on conflict (id) do update
        set id = excluded.id, title = excluded.title
      $$
    )
) as attempt (verb, statement)
cross join (
  values (row_id(1), 'he edits'), (row_id(2), 'is hidden'), (row_id(9), 'is not there')
) as probe (id, fate);

-- Hidden rows look like missing ones: row 2 is hidden from Bob, there is no row 9

select is(
  touched(format(statement, id)),
  0::bigint,
  format('Bob gets the same answer when he %s a row that is %s', verb, fate)
)
from (
  values
    ('reads', 'select from api.__table__ where id = %L'),
    ('changes', $$update api.__table__ set title = '' where id = %L$$),
    ('deletes', 'delete from api.__table__ where id = %L')
) as attempt (verb, statement)
cross join (values (row_id(2), 'hidden'), (row_id(9), 'not there')) as probe (id, fate);

select throws_ok(
  format('update api.__table__ set %I = %L', column_name, value),
  '42501', 'permission denied for table __table__',
  format('Bob cannot set the %s of a row', column_name)
)
from (
  values ('id', row_id(9)::text), ('created_at', '2001-01-01'), ('updated_at', '2001-01-01')
) as attempt (column_name, value);

-- A token that names no user

select act_with('{"role": "authenticated"}');

select is_empty('select id from api.__table__', 'A user without a sub sees no row');

select is(
  touched($$update api.__table__ set title = 'x'$$) + touched('delete from api.__table__'),
  0::bigint,
  'A user without a sub changes and deletes no row'
);

select throws_ok(
  $$insert into api.__table__ (title) values ('x')$$,
  '42501', 'new row violates row-level security policy for table "__table__"',
  'A user without a sub creates no row'
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

-- What the operator creates outside a request has the members that the operator gives it

reset role;
set local request.jwt.claims = '';

insert into api.__table__ (id, title)
values (row_id(3), 'Of the operator');

select is_empty(
  'select user_id from api.__table___members where group_id = row_id(3)',
  'A row that the operator creates has no members yet'
);

select * from finish();
rollback;
