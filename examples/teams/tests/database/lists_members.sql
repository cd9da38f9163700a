-- api.lists_members: who shares what, and who decides about it. Alice and Eve (13) own group 1, Bob
-- is its editor and Carol (11) its viewer; Dave (12) owns group 2, no user has group 9. Frank (14) is
-- a member of none. touched() undoes what it counts.
begin;
set local search_path = tap, public;
select plan(92);

insert into api.users (id)
values (alice()), (bob()), (row_id(11)), (row_id(12)), (row_id(13)), (row_id(14));

insert into api.lists (id, title)
values (row_id(1), 'The row of Alice'), (row_id(2), 'The row of Dave');

insert into api.lists_members (group_id, user_id, role)
values
  (row_id(1), alice(), 'owner'),
  (row_id(1), bob(), 'editor'),
  (row_id(1), row_id(11), 'viewer'),
  (row_id(1), row_id(13), 'owner'),
  (row_id(2), row_id(12), 'owner');

-- The table, as declared

select columns_are(
  'api', 'lists_members',
  array['group_id', 'user_id', 'role', 'created_at', 'updated_at'],
  'The table has these columns'
);

select col_default_is(
  'api', 'lists_members', 'role', 'viewer',
  'A member is a viewer unless a role is given'
);

select col_not_null('api', 'lists_members', name, format('A member must have %s', name))
from unnest(array['group_id', 'user_id', 'role', 'created_at', 'updated_at']) as needed (name);

select col_is_pk(
  'api', 'lists_members', array['group_id', 'user_id'],
  'A user is a member once'
);

select fk_ok(
  'api', 'lists_members', own,
  'api', target, 'id',
  format('The %s is one of %s', own, target)
)
from (values ('group_id', 'lists'), ('user_id', 'users')) as reference (own, target);

select is(
  array(
    select concat(conname, ' ', confdeltype)
    from pg_constraint
    where conrelid = 'api.lists_members'::regclass and contype = 'f'
    order by conname
  ),
  array['lists_members_group_id_fkey c', 'lists_members_user_id_fkey c'],
  'Members go with what they share, and with their account'
);

select indexes_are(
  'api', 'lists_members', array['lists_members_pkey', 'lists_members_user_id'],
  'The table has these indexes'
);

select triggers_are(
  'api', 'lists_members',
  array[
    'add_user', 'check_if_match', 'end_invitations', 'end_with_members', 'keep_owner_on_delete',
    'keep_owner_on_update', 'limit_deleted_rows', 'limit_updated_rows', 'pass_on', 'step_updated_at'
  ],
  'The table has these triggers'
);

select is(
  privileges_on('api.lists_members'),
  array[
    'authenticated delete',
    'authenticated insert (group_id, user_id, role)',
    'authenticated select (group_id, user_id, role, created_at, updated_at)',
    'authenticated update (role)'
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
    where schemaname = 'api' and tablename = 'lists_members'
    order by policyname
  ),
  array[
    'delete_owners_or_self permissive for delete to {authenticated} using',
    'insert_owners permissive for insert to {authenticated} with check',
    'select_members permissive for select to {authenticated} using',
    'update_owners permissive for update to {authenticated} using with the same check'
  ],
  'The table has one policy for each command, for authenticated alone'
);

select throws_constraint(
  $$insert into api.lists_members values (row_id(2), alice(), 'admin')$$,
  '23514', 'lists_members_role',
  'There is no other role'
);

-- The one function that runs as its owner

select is(
  (
    select array[
      prosecdef::text,
      provolatile::text,
      prorettype::regtype::text,
      proconfig::text,
      array(
        select concat(nullif(grantee, 0)::regrole, ' ', lower(privilege_type))
        from aclexplode(proacl)
        where grantee <> proowner
      )::text
    ]
    from pg_proc
    where oid = 'request.is_member_of_lists(uuid, text)'::regprocedure
  ),
  array['true', 's', 'boolean', '{"search_path=\"\""}', '{"authenticated execute"}'],
  'It only reads, says yes or no, resolves its own names, and users alone may execute it'
);

select is(
  array[
    request.is_member_of_lists(row_id(1)),
    request.is_member_of_lists(row_id(1), 'editor'),
    request.is_member_of_lists(row_id(1), 'owner'),
    request.is_member_of_lists(row_id(1), 'admin'),
    request.is_member_of_lists(row_id(1), null),
    request.is_member_of_lists(row_id(2)),
    request.is_member_of_lists(row_id(9))
  ],
  expected,
  format('It knows the role of the %s', role)
)
from (
  values
    (alice(), 'owner', array[true, true, true, false, false, false, false]),
    (bob(), 'editor', array[true, true, false, false, false, false, false]),
    (row_id(11), 'viewer', array[true, false, false, false, false, false, false]),
    (row_id(14), 'non-member', array[false, false, false, false, false, false, false])
) as person (member, role, expected)
cross join lateral act_as(member);

-- Owners

select act_as(alice());

select results_eq(
  'select group_id, count(*) from api.lists_members group by group_id',
  $$values (row_id(1), 4::bigint)$$,
  'Alice sees all members of her group, and no other'
);

select is(
  touched($$insert into api.lists_members values (row_id(1), row_id(14), $$ || quote_literal(role) || ')'),
  1::bigint,
  'Alice adds a member with the role ' || role
)
from unnest(array['owner', 'editor', 'viewer']) as role;

select is(
  touched($$
    insert into api.lists_members (group_id, user_id)
    values (row_id(1), bob()), (row_id(1), row_id(14))
    on conflict (group_id, user_id) do nothing
    returning role
  $$),
  1::bigint,
  'Alice adds those who are not members yet, and gets them back'
);

select throws_ok(
  $$
    insert into api.lists_members (group_id, user_id, role)
    values (row_id(1), bob(), 'owner')
    on conflict (group_id, user_id) do update
    set group_id = excluded.group_id, user_id = excluded.user_id, role = excluded.role
  $$,
  '42501', 'permission denied for table lists_members',
  'Alice cannot change a member by upsert'
);

select is(
  touched($$update api.lists_members set role = 'editor' where user_id = row_id(11) returning role$$),
  1::bigint,
  'Alice changes the role of a member'
);

select is(
  touched($$update api.lists_members set role = 'viewer' where user_id = row_id(13)$$),
  1::bigint,
  'Alice changes the role of another owner'
);

select is(
  touched($$delete from api.lists_members where user_id = $$ || quote_literal(member)),
  1::bigint,
  format('Alice removes %s', name)
)
from (
  values (alice(), 'herself'), (bob(), 'an editor'), (row_id(13), 'another owner')
) as person (member, name);

select throws_ok(
  format('update api.lists_members set %I = %L', column_name, value),
  '42501', 'permission denied for table lists_members',
  format('Alice cannot set the %s of a member', column_name)
)
from (
  values
    ('group_id', row_id(2)::text),
    ('user_id', row_id(14)::text),
    ('created_at', '2001-01-01'),
    ('updated_at', '2001-01-01')
) as attempt (column_name, value);

-- One owner stays

select throws_detail(
  statement,
  'PT409', 'last_owner',
  format('The owners cannot all %s', verb)
)
from (
  values
    ('leave', $$delete from api.lists_members where role = 'owner'$$),
    ('become viewers', $$update api.lists_members set role = 'viewer' where role = 'owner'$$)
) as attempt (verb, statement);

update api.lists_members set role = 'owner' where user_id = bob();

select is(
  touched(statement || ' where user_id in (alice(), row_id(13))'),
  2::bigint,
  format('Alice %s herself and another owner at once: Bob stays', verb)
)
from (
  values
    ('removes', 'delete from api.lists_members'),
    ('demotes', $$update api.lists_members set role = 'viewer'$$)
) as attempt (verb, statement);

update api.lists_members set role = 'editor' where user_id = bob();

select is(
  current_setting('request.left_lists'),
  '',
  'The policies show no group that was left after the statement that left it'
);

select act_as(row_id(12));

select throws_detail(
  statement,
  'PT409', 'last_owner',
  format('The last owner cannot %s', verb)
)
from (
  values
    ('leave', 'delete from api.lists_members'),
    ('become an editor', $$update api.lists_members set role = 'editor'$$)
) as attempt (verb, statement);

select is(
  touched($$update api.lists_members set role = 'owner'$$),
  1::bigint,
  'The last owner may say that they stay owner'
);

select is(
  touched($$delete from api.lists where id = row_id(2)$$),
  1::bigint,
  'The last owner deletes the group, and its members go along'
);

-- What a request says of the group does not hold for the members that go along

select send_header('if-match', (select updated_at::text from api.lists));
set local request.method = 'DELETE';

reset role;
update api.lists_members set created_at = created_at where group_id = row_id(2);

insert into api.users (id)
select row_id(number)
from generate_series(1000, 1100) as number;

insert into api.lists_members (group_id, user_id)
select row_id(2), row_id(number)
from generate_series(1000, 1100) as number;

select act_as(row_id(12));

select is(
  touched('delete from api.lists'),
  1::bigint,
  'A group of a hundred members is deleted by its version alone'
);

reset request.headers;

select throws_detail(
  'delete from api.lists_members where user_id <> request.user_id()',
  'PT400', 'too_many_rows',
  'A hundred members are not removed by mistake'
);

-- A lock for each group takes a place that all connections share, so that no header allows more

insert into api.lists (title)
select 'One of many'
from generate_series(1, 100);

select send_header('prefer', 'max-affected=1000');

select throws_detail(
  $$update api.lists_members set role = 'owner'$$,
  'PT400', 'too_many_rows',
  'The owners of a hundred groups are changed at once, and no more'
);

select is(
  touched($$update api.lists_members set role = 'owner' where group_id <> row_id(2)$$),
  100::bigint,
  'The owners of a hundred groups are changed at once'
);

select is(
  touched($$delete from api.lists where title = 'One of many'$$),
  100::bigint,
  'A hundred groups are deleted, with their owners'
);

reset role;
delete from api.lists where title = 'One of many';
reset request.headers;

reset request.method;

-- Editors and viewers

select is(
  touched('select from api.lists_members'),
  4::bigint,
  format('The %s sees all members of the group, and no other', role)
)
from (values (bob(), 'editor'), (row_id(11), 'viewer')) as person (member, role)
cross join lateral act_as(member);

select is(
  touched($$update api.lists_members set role = 'owner'$$),
  0::bigint,
  format('The %s changes no role', role)
)
from (values (bob(), 'editor'), (row_id(11), 'viewer')) as person (member, role)
cross join lateral act_as(member);

select is(
  touched('delete from api.lists_members'),
  1::bigint,
  format('The %s leaves, and removes no other', role)
)
from (values (bob(), 'editor'), (row_id(11), 'viewer')) as person (member, role)
cross join lateral act_as(member);

-- Who may not add: the answer is the same for a group that is there as for one that is not

select throws_ok(
  format('insert into api.lists_members values (%L, %L, %L)', shared, added, role),
  '42501', 'new row violates row-level security policy for table "lists_members"',
  format('%s cannot add %s to group %s as %s', name, added_name, shared, role)
)
from (
  values
    (bob(), 'An editor', row_id(14), 'a user'),
    (row_id(14), 'A non-member', row_id(14), 'themselves'),
    (row_id(14), 'A non-member', row_id(9), 'a user who does not exist')
) as person (caller, name, added, added_name)
cross join (values (row_id(1)), (row_id(9))) as target (shared)
cross join (values ('owner'), ('viewer')) as given (role)
cross join lateral act_as(caller);

-- While a row is created, its first member is the caller as owner, and no other

select act_as(row_id(14));
select set_config('request.created_lists', row_id(1)::text, true);

select throws_ok(
  statement,
  '42501', 'new row violates row-level security policy for table "lists_members"',
  format('The first member is not %s', meaning)
)
from (
  values
    (
      'another user',
      $$insert into api.lists_members values (row_id(1), row_id(12), 'owner')$$
    ),
    (
      'a viewer',
      $$insert into api.lists_members values (row_id(1), row_id(14), 'viewer')$$
    ),
    (
      'one of another group',
      $$insert into api.lists_members values (row_id(2), row_id(14), 'owner')$$
    )
) as attempt (meaning, statement);

select set_config('request.created_lists', '', true);

-- While a user accepts an invitation, they become a member themselves, in its role

select set_config('request.invited_lists', row_id(1)::text || ' viewer', true);

select throws_ok(
  statement,
  '42501', 'new row violates row-level security policy for table "lists_members"',
  format('Who is invited does not become %s', meaning)
)
from (
  values
    ('another user', $$insert into api.lists_members values (row_id(1), row_id(12), 'viewer')$$),
    ('an editor', $$insert into api.lists_members values (row_id(1), row_id(14), 'editor')$$),
    ('one of another group', $$insert into api.lists_members values (row_id(2), row_id(14), 'viewer')$$)
) as attempt (meaning, statement);

select set_config('request.invited_lists', '', true);

-- A non-member, and a token that names no user

select is(
  touched('select from api.lists_members')
    + touched($$update api.lists_members set role = 'viewer'$$)
    + touched('delete from api.lists_members'),
  0::bigint,
  'A non-member sees, changes and removes no member'
);

select act_with('{"role": "authenticated"}');

select is(
  touched('select from api.lists_members')
    + touched($$update api.lists_members set role = 'viewer'$$)
    + touched('delete from api.lists_members'),
  0::bigint,
  'A user without a sub sees, changes and removes no member'
);

select throws_ok(
  format('insert into api.lists_members values (row_id(1), %s)', member),
  '42501', 'new row violates row-level security policy for table "lists_members"',
  'A user without a sub adds no member'
)
from unnest(array['row_id(14)', 'null']) as member;

-- Without a token

select act_anonymously();

select throws_ok(
  statement,
  '42501', 'permission denied for schema api',
  format('Without a token, no member can be %s', done)
)
from (
  values
    ('read', 'select user_id from api.lists_members'),
    ('added', 'insert into api.lists_members values (row_id(1), row_id(14))'),
    ('changed', $$update api.lists_members set role = 'owner'$$),
    ('removed', 'delete from api.lists_members')
) as attempt (done, statement);

-- An owner of the tables who has no BYPASSRLS

reset role;
create role plain_owner;
grant usage on schema api, request to plain_owner;
grant execute on all functions in schema request to plain_owner;
alter table api.lists_members owner to plain_owner;
alter function request.is_member_of_lists(uuid, text) owner to plain_owner;
select act_as(bob());

select is(
  touched($$update api.lists set title = 'Changed'$$) + touched('select from api.lists_members'),
  5::bigint,
  'The function reads the members for a plain owner, too'
);

reset role;
alter table api.lists_members force row level security;
select act_as(bob());

select is(
  touched($$update api.lists set title = 'Changed'$$) + touched('select from api.lists_members'),
  1::bigint,
  'Where the owner may not read the members, Bob sees himself and changes nothing'
);

-- The end of an account, by a role that deletes users and may do nothing else, as that of a sign-in
-- service. The owner of the tables is the plain one; Frank becomes an editor before Bob.

reset role;
alter table api.lists_members no force row level security;
alter table api.lists owner to plain_owner;
alter table api.users owner to plain_owner;
create role account_service;
grant usage on schema api, request to account_service;
grant execute on function request.header(text) to account_service;
grant select (id), delete on api.users to account_service;

create policy end_accounts on api.users
for all to account_service
using (true);

insert into api.lists_members (group_id, user_id, role, created_at)
values (row_id(1), row_id(14), 'editor', now() - interval '1 day');

update api.lists_members
set created_at = now() - interval '2 days'
where user_id = row_id(11);

-- Who owns group 2, and who is left in group 1, after accounts ended; then that is undone.
create function pg_temp.members_after_end_of(variadic ended uuid[])
returns text[]
language plpgsql
as $$
declare
  members text[];
begin
  set local role account_service;
  delete from api.users where id = any (ended);
  reset role;

  members := array(
    select concat_ws(' ', coalesce(name, 'Nobody'), role)
    from api.lists
    left join api.lists_members on group_id = api.lists.id and (group_id = row_id(1) or role = 'owner')
    left join (
      values (alice(), 'Alice'), (bob(), 'Bob'), (row_id(11), 'Carol'), (row_id(12), 'Dave'), (row_id(13), 'Eve'), (row_id(14), 'Frank')
    ) as person (id, name) on person.id = user_id
    order by name
  );

  raise sqlstate 'UNDO0';
exception
  when sqlstate 'UNDO0' then
    return members;
end
$$;

select is(
  pg_temp.members_after_end_of(variadic ended),
  members,
  'When the account ends, ' || meaning
)
from (
  values
    (
      array[bob()],
      array['Alice owner', 'Carol viewer', 'Dave owner', 'Eve owner', 'Frank editor'],
      'an editor goes, and the others stay what they are'
    ),
    (
      array[alice()],
      array['Bob editor', 'Carol viewer', 'Dave owner', 'Eve owner', 'Frank editor'],
      'an owner goes, and another one is enough'
    ),
    (
      array[row_id(13), alice()],
      array['Bob editor', 'Carol viewer', 'Dave owner', 'Frank owner'],
      'the last owners pass the group to the editor who joined first'
    ),
    (
      array[alice(), row_id(14), row_id(13)],
      array['Bob owner', 'Carol viewer', 'Dave owner'],
      'no user inherits whose account ends with it'
    ),
    (
      array[row_id(11), alice(), bob(), row_id(13), row_id(14)],
      array['Dave owner'],
      'a group without other members goes, and no other'
    )
) as outcome (ended, members, meaning);

update api.lists_members
set created_at = now() - interval '1 day'
where user_id = bob();

select is(
  pg_temp.members_after_end_of(alice(), row_id(13)),
  array['Bob editor', 'Carol viewer', 'Dave owner', 'Frank owner'],
  'Of two who joined at once the one with the lower id inherits'
);

-- Neither the version of the account nor the limits of a request hold for what goes along

set local request.jwt.claims = '';

insert into api.lists (id, title)
select row_id(number), 'One of many'
from generate_series(1000, 1202) as number;

insert into api.lists_members (group_id, user_id, role)
select row_id(number), row_id(12), 'owner'
from generate_series(1000, 1202) as number;

insert into api.lists_members (group_id, user_id)
select row_id(number), row_id(11)
from generate_series(1000, 1100) as number;

-- The version of the account is another than that of the groups, which began with this transaction.
update api.users set name = 'Dave' where id = row_id(12);
select send_header('if-match', (select updated_at::text from api.users where id = row_id(12)));
set local request.method = 'DELETE';
delete from api.users where id = row_id(12);

select is(
  array(
    select concat_ws(' ', user_id, role, count(*))
    from api.lists
    left join api.lists_members on group_id = id
    where title = 'One of many'
    group by user_id, role
  ),
  array[concat_ws(' ', row_id(11), 'owner', 101)],
  'Hundreds of groups pass or go with one account'
);

reset request.headers;

insert into api.lists_members (group_id, user_id)
select row_id(number), bob()
from generate_series(1000, 1100) as number;

delete from api.users where id <> bob();

select is(
  array(
    select concat_ws(' ', user_id, role, count(*))
    from api.lists
    left join api.lists_members on group_id = id
    group by user_id, role
  ),
  array[concat_ws(' ', bob(), 'owner', 102)],
  'When the accounts of all others end in one statement, Bob owns what he is a member of'
);

select * from finish();
rollback;
