-- api.lists_invitations, and what is done with them. Alice and Eve (13) own list 1, Bob is its editor;
-- Dave (12) owns list 2; there is no list 9. Frank (14) is a member of none. touched() undoes what it
-- counts.
begin;
set local search_path = tap, public;
select plan(69);

insert into api.users (id)
values (alice()), (bob()), (row_id(12)), (row_id(13)), (row_id(14));

insert into api.lists (id, title)
values (row_id(1), 'The list of Alice'), (row_id(2), 'The list of Dave');

insert into api.lists_members (group_id, user_id, role)
values
  (row_id(1), alice(), 'owner'),
  (row_id(1), bob(), 'editor'),
  (row_id(1), row_id(13), 'owner'),
  (row_id(2), row_id(12), 'owner');

create function pg_temp.hash(token text)
returns text
language sql
return encode(sha256(convert_to(token, 'UTF8')), 'hex');

-- What a question finds after a statement, both by the caller; the statement is undone.
create function pg_temp.after(statement text, question text)
returns text
language plpgsql
as $$
declare
  answer text;
begin
  execute statement;
  execute question into answer;
  raise sqlstate 'UNDO0';
exception
  when sqlstate 'UNDO0' then
    return answer;
end
$$;

grant execute on function pg_temp.hash(text), pg_temp.after(text, text) to authenticated;

insert into api.lists_invitations (list_id, id, role, invited_by, token_hash, expires_at)
values
  (row_id(1), row_id(1), 'editor', alice(), pg_temp.hash('open'), default),
  (row_id(1), row_id(2), 'owner', row_id(13), pg_temp.hash('of Eve'), default),
  (row_id(1), row_id(3), 'viewer', alice(), pg_temp.hash('ended'), now()),
  (row_id(2), row_id(4), 'viewer', row_id(12), pg_temp.hash('of Dave'), default);

-- The table, as declared

select columns_are(
  'api', 'lists_invitations',
  array['list_id', 'id', 'role', 'invited_by', 'token_hash', 'expires_at'],
  'The table has these columns'
);

select col_not_null('api', 'lists_invitations', name, format('An invitation must have %s', name))
from unnest(
  array['list_id', 'id', 'role', 'invited_by', 'token_hash', 'expires_at']
) as needed (name);

select col_is_pk('api', 'lists_invitations', array['list_id', 'id'], 'The key begins with the list');

select col_is_unique('api', 'lists_invitations', array['token_hash'], 'A token invites once');

select fk_ok(
  'api', 'lists_invitations', array['list_id', 'invited_by'],
  'api', 'lists_members', array['group_id', 'user_id'],
  'A member of the list invites'
);

select indexes_are(
  'api', 'lists_invitations',
  array['lists_invitations_invited_by', 'lists_invitations_pkey', 'lists_invitations_token_hash'],
  'The table has these indexes'
);

select triggers_are(
  'api', 'lists_invitations', array['keep_inviter', 'limit_deleted_rows'],
  'The table has these triggers'
);

select ok(
  (
    select relrowsecurity and relforcerowsecurity
    from pg_class
    where oid = 'api.lists_invitations'::regclass
  ),
  'Row-level security is on, and forced on the owner of the table too'
);

select is(
  privileges_on('api.lists_invitations'),
  array[
    'authenticated delete',
    'authenticated insert (list_id, role, token_hash)',
    'authenticated select (list_id, id, role, invited_by, token_hash, expires_at)'
  ],
  'Users hold these privileges, and no other role holds any'
);

select throws_constraint(
  format(
    'insert into api.lists_invitations (list_id, role, invited_by, token_hash) values (row_id(1), %L, alice(), %L)',
    role, hash
  ),
  '23514', violated,
  'There is no ' || meaning
)
from (
  values
    ('admin', pg_temp.hash('x'), 'lists_invitations_role', 'other role'),
    ('viewer', 'plain text', 'lists_invitations_token_hash_form', 'token in plain text')
) as unfit (role, hash, violated, meaning);

-- Owners see, make and take back invitations

select act_as(alice());

select results_eq(
  'select id from api.lists_invitations order by id',
  array[row_id(1), row_id(2), row_id(3)],
  'Alice sees the invitations to her list, and no other'
);

select is(
  touched('delete from api.lists_invitations'),
  3::bigint,
  'Alice takes back those to her list, and no other'
);

select is(
  touched($$
    insert into api.lists_invitations (list_id, token_hash)
    values (row_id(1), pg_temp.hash('x'))
    returning id
  $$),
  1::bigint,
  'Alice invites with a token of her own'
);

select matches(
  api.invite_to_list(row_id(1)),
  '^[0-9a-f]{64}$',
  'A token has 64 hexadecimal digits'
);

select isnt(
  api.invite_to_list(row_id(1)),
  api.invite_to_list(row_id(1)),
  'Each token is new'
);

select is(
  pg_temp.after(
    format('select set_config(''test.token'', api.invite_to_list(row_id(1)%s), true)', argument),
    $$
      select concat_ws(' ', role, invited_by, expires_at - now())
      from api.lists_invitations
      where token_hash = pg_temp.hash(current_setting('test.token'))
    $$
  ),
  concat_ws(' ', role, alice(), '7 days'),
  format('A token invites as %s, in the name of the caller, for 7 days', role)
)
from (
  values ('', 'viewer'), (', ''editor''', 'editor'), (', ''owner''', 'owner')
) as given (argument, role);

select throws_ok(
  format(
    'insert into api.lists_invitations (list_id, token_hash, %I) values (row_id(1), pg_temp.hash(%L), %L)',
    name, 'x', value
  ),
  '42501', 'permission denied for table lists_invitations',
  format('Alice cannot set the %s of an invitation', name)
)
from (
  values
    ('id', row_id(9)::text),
    ('invited_by', row_id(13)::text),
    ('expires_at', 'infinity')
) as attempt (name, value);

select throws_ok(
  $$update api.lists_invitations set role = 'owner'$$,
  '42501', 'permission denied for table lists_invitations',
  'Alice changes no invitation'
);

-- Who may not invite: the answer is the same for a list that is there as for one that is not

select throws_ok(
  format('select api.invite_to_list(%L)', list),
  '42501', 'new row violates row-level security policy for table "lists_invitations"',
  format('%s cannot invite to list %s', name, list)
)
from (
  values
    (bob(), 'An editor', row_id(1)),
    (row_id(14), 'A non-member', row_id(1)),
    (row_id(14), 'A non-member', row_id(9))
) as person (caller, name, list)
cross join lateral act_as(caller);

-- The policy alone refuses them, too: the trigger stands before it for a role taken away meanwhile
reset role;
alter table api.lists_invitations disable trigger keep_inviter;

select throws_ok(
  format(
    'insert into api.lists_invitations (list_id, token_hash) values (%L, pg_temp.hash(%L))', list, 'x'
  ),
  '42501', 'new row violates row-level security policy for table "lists_invitations"',
  format('Without the trigger, %s cannot invite to list %s either', name, list)
)
from (
  values
    (bob(), 'an editor', row_id(1)),
    (row_id(14), 'a non-member', row_id(1)),
    (row_id(14), 'a non-member', row_id(9))
) as person (caller, name, list)
cross join lateral act_as(caller);

reset role;
alter table api.lists_invitations enable trigger keep_inviter;

select is(
  touched('select from api.lists_invitations') + touched('delete from api.lists_invitations'),
  0::bigint,
  format('%s sees and takes back no invitation', name)
)
from (values (bob(), 'An editor'), (row_id(14), 'A non-member')) as person (caller, name)
cross join lateral act_as(caller);

-- Who brings a token

select set_config('request.invitation', pg_temp.hash('open'), true);

select is(
  array[touched('select from api.lists_invitations'), touched('delete from api.lists_invitations')],
  array[1::bigint, 1],
  'Frank reaches the invitation that he brings the token of, and no other'
);

select set_config('request.invitation', '', true);

select is(
  api.join_list('open'),
  row_id(1),
  'Frank accepts an invitation, and gets the id of the list'
);

select results_eq(
  'select group_id, role from api.lists_members where user_id = request.user_id()',
  $$values (row_id(1), 'editor')$$,
  'Frank is a member of the list, in the role of the invitation'
);

select is(
  array[current_setting('request.invitation'), current_setting('request.invited_lists')],
  array['', ''],
  'The policies do not take him for invited after that'
);

reset role;

select is_empty(
  $$select from api.lists_invitations where token_hash = pg_temp.hash('open')$$,
  'The invitation is used up'
);

select throws_detail(
  format('select api.join_list(%L)', token),
  'PT404', 'invitation_invalid',
  format('An invitation does not count when %s', meaning)
)
from (
  values
    ('open', 'it was used'),
    ('ended', 'its time is over'),
    ('guess', 'there was none'),
    ('', 'the token is missing'),
    (null, 'the token is null')
) as attempt (token, meaning)
cross join lateral act_as(row_id(12));

select act_as(bob());

select throws_detail(
  $$select api.join_list('of Eve')$$,
  'PT409', 'already_member',
  'A member is not invited once more'
);

select act_as(row_id(12));

select is(
  pg_temp.after(
    $$select api.join_list('of Eve')$$,
    'select role from api.lists_members where group_id = row_id(1) and user_id = request.user_id()'
  ),
  'owner',
  'The link still counts for whom it was meant'
);

select act_with('{"role": "authenticated"}');

select throws_ok(
  $$select api.join_list('of Eve')$$,
  '42501', 'new row violates row-level security policy for table "lists_members"',
  'A user without a sub accepts no invitation'
);

-- Where users are not made by their first request
reset role;
revoke insert on api.users from authenticated;
select act_as(row_id(99));

select throws_constraint(
  $$select api.join_list('of Eve')$$,
  '23503', 'lists_members_user_id_fkey',
  'That the caller is no user is not said of the invitation'
);

reset role;
grant insert (id, email, name) on api.users to authenticated;

-- The invitations of an owner end with their role: else they could come back

select is(
  pg_temp.after(
    statement,
    'select count(*) from api.lists_invitations where invited_by = row_id(13)'
  ),
  still_open,
  format('%s invitations of Eve are open after %s', still_open, meaning)
)
from (
  values
    ('Alice removes her', 'delete from api.lists_members where user_id = row_id(13)', '0'),
    (
      'Alice makes her a viewer',
      $$update api.lists_members set role = 'viewer' where user_id = row_id(13)$$,
      '0'
    ),
    (
      'Alice says that she stays owner',
      $$update api.lists_members set role = 'owner' where user_id = row_id(13)$$,
      '1'
    ),
    ('Alice removes Bob', 'delete from api.lists_members where user_id = bob()', '1')
) as change (meaning, statement, still_open)
cross join lateral act_as(alice());

select act_as(row_id(13));
update api.lists_members set role = 'editor' where user_id = row_id(13);
reset role;

select results_eq(
  'select id from api.lists_invitations where id < row_id(9) order by id',
  array[row_id(3), row_id(4)],
  'The invitations of an owner, and no other, end when they give up their role themselves'
);

update api.lists_members set role = 'owner' where user_id = row_id(13);

-- Handing over

select act_as(alice());

select is(
  pg_temp.after(
    'select api.hand_over_list(row_id(1), bob())',
    'select string_agg(role, '' '' order by user_id) from api.lists_members where group_id = row_id(1)'
  ),
  'owner editor editor owner',
  'Alice hands over to Bob: he is owner, she is editor, and the others stay what they are'
);

select throws_detail(
  format('select api.hand_over_list(%L, %L)', list, member),
  'PT404', 'member_unknown',
  format('%s cannot hand over list %s', name, list)
)
from (
  values
    (alice(), 'An owner, to a non-member,', row_id(1), row_id(12)),
    (row_id(13), 'An owner, with another owner, to themselves,', row_id(1), row_id(13)),
    (alice(), 'An owner of another list', row_id(2), row_id(12)),
    (bob(), 'An editor', row_id(1), alice()),
    (row_id(12), 'A non-member', row_id(1), alice()),
    (row_id(12), 'A non-member', row_id(9), alice())
) as person (caller, name, list, member)
cross join lateral act_as(caller);

select throws_detail(
  'select api.hand_over_list(row_id(2), row_id(12))',
  'PT404', 'member_unknown',
  'The last owner cannot hand over to themselves'
);

-- A hundred invitations go with their list, and are not taken back by mistake

reset role;

insert into api.lists_invitations (list_id, invited_by, token_hash)
select row_id(2), row_id(12), pg_temp.hash(number::text)
from generate_series(1, 101) as number;

set local request.method = 'DELETE';
select act_as(row_id(12));

select is(
  touched('delete from api.lists where id = row_id(2)'),
  1::bigint,
  'A list of a hundred invitations is deleted'
);

select throws_detail(
  'delete from api.lists_invitations',
  'PT400', 'too_many_rows',
  'A hundred invitations are not taken back by mistake'
);

-- Without a token of sign-in

select act_anonymously();

select throws_ok(
  statement,
  '42501', 'permission denied for schema api',
  format('Without a token of sign-in, no invitation can be %s', done)
)
from (
  values
    ('read', 'select id from api.lists_invitations'),
    ('made', 'select api.invite_to_list(row_id(1))'),
    ('accepted', $$select api.join_list('of Eve')$$),
    ('taken back', 'delete from api.lists_invitations')
) as attempt (done, statement);

select * from finish();
rollback;
