create function private.pass_on___table__()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
  named text := current_setting('request.ended_users_of___table__');
  ended uuid[];
  owned uuid[];
begin
  perform set_config('request.ended_users_of___table__', '', true);

  if named <> '*' then
    ended := string_to_array(named, ',');
  else
    ended := array(
      select distinct user_id
      from api.__table___members
      where not exists (select from api.users where users.id = user_id)
    );
  end if;

  -- This runs in the cascade of a foreign key, so with the rights of the owner of the tables, and before
  -- the cascade locks a member: what is shared comes first, as for who deletes it. No user joins it now.
  perform
  from api.__table__
  where id in (select group_id from api.__table___members where user_id = any (ended))
  order by id
  for update;

  -- Whoever gives them another role has done so, or finds them gone.
  perform
  from api.__table___members
  where user_id = any (ended)
  order by group_id, user_id
  for no key update;

  owned := array(
    select group_id
    from api.__table___members
    where user_id = any (ended)
    and role = 'owner'
  );

  -- The other owners, who may be leaving, and those who may inherit. These are locks of rows, so their
  -- number needs no limit.
  perform
  from api.__table___members
  where group_id = any (owned)
  order by group_id, user_id
  for no key update;

  -- Another owner comes before all heirs: then there is nothing to change.
  update api.__table___members as member
  set role = 'owner'
  from (
    select distinct on (group_id) group_id, user_id
    from api.__table___members
    where group_id = any (owned)
    and user_id <> all (ended)
    order by group_id, array_position(array['owner', 'editor', 'viewer'], role), created_at, user_id
  ) as heir
  where member.group_id = heir.group_id
  and member.user_id = heir.user_id
  and member.role <> 'owner';

  return null;
end
$$;

comment on function private.pass_on___table__() is
  'Before the memberships of ended accounts go: where no other owner is left, the member with the highest role becomes one, and of several the one who joined first.';
