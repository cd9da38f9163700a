-- api.list_items: what is on a list, and who reaches it. Alice owns list 1, Bob is its editor and Carol (11)
-- its viewer; Dave (12) owns list 2; there is no list 9. touched() undoes what it counts.
begin;
set local search_path = tap, public;
select plan(52);

insert into api.users (id)
values (alice()), (bob()), (row_id(11)), (row_id(12));

insert into api.lists (id, title)
values (row_id(1), 'The list of Alice'), (row_id(2), 'The list of Dave');

insert into api.lists_members (group_id, user_id, role)
values
  (row_id(1), alice(), 'owner'),
  (row_id(1), bob(), 'editor'),
  (row_id(1), row_id(11), 'viewer'),
  (row_id(2), row_id(12), 'owner');

insert into api.list_items (list_id, id, title)
values (row_id(1), row_id(1), 'Bread'), (row_id(2), row_id(2), 'Of Dave');

-- The table, as declared

select columns_are(
  'api', 'list_items',
  array['list_id', 'id', 'title', 'completed', 'created_at', 'updated_at'],
  'The table has these columns'
);

select col_not_null('api', 'list_items', name, format('An item must have %s', name))
from unnest(array['list_id', 'id', 'title', 'completed', 'created_at', 'updated_at']) as needed (name);

select col_is_pk('api', 'list_items', array['list_id', 'id'], 'The key begins with the list');

select fk_ok('api', 'list_items', 'list_id', 'api', 'lists', 'id', 'An item is on a list');

select indexes_are('api', 'list_items', array['list_items_pkey'], 'The primary key is the only index');

select triggers_are(
  'api', 'list_items',
  array['check_if_match', 'limit_deleted_rows', 'limit_updated_rows', 'step_updated_at'],
  'The table has these triggers'
);

select ok(
  (select relrowsecurity and relforcerowsecurity from pg_class where oid = 'api.list_items'::regclass),
  'Row-level security is on, and forced on the owner of the table too'
);

select is(
  privileges_on('api.list_items'),
  array[
    'authenticated delete',
    'authenticated insert (list_id, id, title, completed)',
    'authenticated select (list_id, id, title, completed, created_at, updated_at)',
    'authenticated update (title, completed)'
  ],
  'Users hold these privileges, and no other role holds any'
);

select throws_constraint(
  format('insert into api.list_items (list_id, id, title) values (row_id(1), %L, %L)', id, title),
  '23514', violated,
  'An item may not have ' || meaning
)
from (
  values
    (row_id(5), '', 'list_items_title_length', 'an empty title'),
    (row_id(5), repeat('a', 201), 'list_items_title_length', 'a title of 201 characters'),
    (row_id(5), '  ', 'list_items_title_not_blank', 'a blank title'),
    (bob(), 'Milk', 'list_items_id_version', 'an id of another version')
) as unfit (id, title, violated, meaning);

-- Without its condition on the user, the subquery of select_members finds the same lists, and asks the
-- policy of the members for each member of all.

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
  pg_temp.plan_of('select title from api.list_items'),
  'using lists_members_\w+ on lists_members\s+Index Cond: \(user_id = ',
  'The lists of the caller are searched by index, and no other members are looked at'
);

reset role;
reset enable_seqscan;
reset enable_bitmapscan;

-- Members, each in their role; act_as() runs before the assertion of its line

select results_eq(
  'select title from api.list_items',
  array[title],
  format('The %s sees the items of their list, and no other', role)
)
from (
  values
    (alice(), 'owner', 'Bread'),
    (bob(), 'editor', 'Bread'),
    (row_id(11), 'viewer', 'Bread'),
    (row_id(12), 'only member', 'Of Dave')
) as person (member, role, title)
cross join lateral act_as(member);

select is(
  touched(statement),
  case role when 'viewer' then 0::bigint else 1 end,
  format('The %s %s the items of the shared list alone, as far as they may', role, verb)
)
from (values (alice(), 'owner'), (bob(), 'editor'), (row_id(11), 'viewer')) as person (member, role)
cross join (
  values
    ('changes', 'update api.list_items set completed = true'),
    ('deletes', 'delete from api.list_items')
) as attempt (verb, statement)
cross join lateral act_as(member);

select is(
  touched($$
    insert into api.list_items (list_id, id, title)
    values (row_id(1), row_id(5), 'Milk')
    returning id, title
  $$),
  1::bigint,
  format('The %s adds an item, and gets it back', role)
)
from (values (alice(), 'owner'), (bob(), 'editor')) as person (member, role)
cross join lateral act_as(member);

select act_as(bob());

select is(
  touched($$
    insert into api.list_items (list_id, id, title)
    values (row_id(1), row_id(2), 'Milk')
    on conflict (list_id, id) do nothing
  $$),
  1::bigint,
  'An id that an item of a hidden list has is free'
);

select throws_constraint(
  $$insert into api.list_items (list_id, id, title) values (row_id(1), row_id(1), 'Twice')$$,
  '23505', 'list_items_pkey',
  'An id is taken once on a list'
);

select throws_ok(
  format('update api.list_items set %I = %L', column_name, value),
  '42501', 'permission denied for table list_items',
  format('Bob cannot set the %s of an item', column_name)
)
from (
  values
    ('list_id', row_id(2)::text),
    ('id', row_id(9)::text),
    ('created_at', '2001-01-01'),
    ('updated_at', '2001-01-01')
) as attempt (column_name, value);

select throws_detail(
  statement,
  'PT412', 'row_stale',
  format('An item is %s by its version', verb)
)
from (
  values
    ('changed', 'update api.list_items set completed = true where id = row_id(1)'),
    ('deleted', 'delete from api.list_items where id = row_id(1)')
) as attempt (verb, statement)
cross join lateral send_header('if-match', '2001-01-01T00:00:00Z');

reset request.headers;

-- Who may not add: the answer is the same for a list that is there as for one that is not

select throws_ok(
  format(statement, list),
  '42501', 'new row violates row-level security policy for table "list_items"',
  format('%s cannot %s list %s', name, verb, list)
)
from (
  values
    (row_id(11), 'A viewer', row_id(1)),
    (row_id(12), 'A non-member', row_id(1)),
    (row_id(12), 'A non-member', row_id(9))
) as person (caller, name, list)
cross join (
  values
    ('add to', $$insert into api.list_items (list_id, title) values (%L, 'Milk')$$),
    (
      'find an item by conflict on',
      $$
        insert into api.list_items (list_id, id, title)
        values (%L, row_id(1), 'Milk')
        on conflict (list_id, id) do nothing
      $$
    )
) as attempt (verb, statement)
cross join lateral act_as(caller);

-- The version of the list and the limit of rows do not hold for the items that go along

reset role;

insert into api.list_items (list_id, title)
select row_id(2), number::text
from generate_series(1, 101) as number;

set local request.method = 'DELETE';
select send_header('if-match', (select updated_at::text from api.lists where id = row_id(2)));
select act_as(row_id(12));

select is(
  touched('delete from api.lists'),
  1::bigint,
  'A list of a hundred items is deleted by its version alone'
);

reset request.headers;

select throws_detail(
  statement,
  'PT400', 'too_many_rows',
  format('A hundred items are not %s by mistake', verb)
)
from (
  values
    ('deleted', 'delete from api.list_items'),
    ('changed', 'update api.list_items set completed = true')
) as attempt (verb, statement);

reset request.method;

-- A token that names no user, and none

select act_with('{"role": "authenticated"}');

select is(
  touched('select from api.list_items')
    + touched('update api.list_items set completed = true')
    + touched('delete from api.list_items'),
  0::bigint,
  'A user without a sub sees, changes and deletes no item'
);

select act_anonymously();

select throws_ok(
  statement,
  '42501', 'permission denied for schema api',
  format('Without a token, no item can be %s', done)
)
from (
  values
    ('read', 'select id from api.list_items'),
    ('added', $$insert into api.list_items (list_id, title) values (row_id(1), 'x')$$),
    ('changed', 'update api.list_items set completed = true'),
    ('deleted', 'delete from api.list_items')
) as attempt (done, statement);

select * from finish();
rollback;
