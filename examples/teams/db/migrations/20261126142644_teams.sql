-- migrate:up

set local lock_timeout = '3s';

create table api.lists_members (
  group_id   uuid                     not null,
  user_id    uuid                     not null,
  role       text                     not null default 'viewer'::text,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  constraint lists_members_pkey primary key (group_id, user_id),
  constraint lists_members_role
    check (role = any (array['owner'::text, 'editor'::text, 'viewer'::text]))
);

alter table api.lists_members enable row level security;

create function api.hand_over_list(list_id uuid, to_member uuid)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
  -- The list before its members, as who deletes it: else two who hand over at once could deadlock.
  perform
  from api.lists
  where id = list_id
  for no key update;

  update api.lists_members
  set role = 'owner'
  where group_id = list_id
  and user_id = to_member
  and user_id <> request.user_id();

  if not found then
    raise sqlstate 'PT404' using
      message = 'There is no such member.',
      detail = 'member_unknown',
      hint = 'Only an owner hands over, to another member of the list.';
  end if;

  update api.lists_members
  set role = 'editor'
  where group_id = list_id
  and user_id = request.user_id();
end
$$;

create function api.invite_to_list(list_id uuid, role text default 'viewer')
returns text
language plpgsql
volatile
set search_path = ''
as $$
declare
  -- 244 random bits. Nobody guesses that, so its hash needs no salt.
  token text := replace(concat(gen_random_uuid(), gen_random_uuid()), '-', '');
begin
  insert into api.lists_invitations (list_id, role, token_hash)
  values (invite_to_list.list_id, invite_to_list.role, encode(sha256(convert_to(token, 'UTF8')), 'hex'));

  return token;
end
$$;

create function api.join_list(token text)
returns uuid
language plpgsql
volatile
set search_path = ''
as $$
declare
  hash text := encode(sha256(convert_to(token, 'UTF8')), 'hex');
  invitation record;
begin
  -- Shows the invitation to its policies, for as long as this function runs.
  perform set_config('request.invitation', hash, true);

  -- Of two who bring the same token at once, one waits here, and then finds nothing.
  delete from api.lists_invitations
  where token_hash = hash
  and expires_at > now()
  returning list_id, role into invitation;

  if not found then
    raise sqlstate 'PT404' using
      message = 'This invitation does not count.',
      detail = 'invitation_invalid',
      hint = 'It was used, it ended, or its link is incomplete. Ask for a new one.';
  end if;

  -- Names the new member to insert_owners of api.lists_members, for one statement.
  perform set_config('request.invited_lists', concat(invitation.list_id, ' ', invitation.role), true);

  insert into api.lists_members (group_id, user_id, role)
  values (invitation.list_id, request.user_id(), invitation.role)
  on conflict (group_id, user_id) do nothing;

  -- The error undoes the delete: the link still counts for whom it was meant.
  if not found then
    raise sqlstate 'PT409' using
      message = 'You are a member already.',
      detail = 'already_member',
      hint = 'Give the link to whom it is meant for. An owner can change your role.';
  end if;

  perform set_config('request.invited_lists', '', true);
  perform set_config('request.invitation', '', true);

  return invitation.list_id;
end
$$;

create function private.add_owner_of_lists()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  -- Outside a request there is no caller: the operator adds the members.
  if request.user_id() is null then
    return new;
  end if;

  if tg_when = 'BEFORE' then
    -- PostgreSQL checks select_members of the table before the row is there. This names the row to
    -- it. No request chooses an id, so it is that of no row which is there already.
    perform set_config('request.new_lists', new.id::text, true);
  else
    -- The row is there, and new: this names it to insert_owners of its members, for one statement.
    perform set_config('request.created_lists', new.id::text, true);

    insert into api.lists_members (group_id, user_id, role)
    values (new.id, request.user_id(), 'owner');

    perform set_config('request.created_lists', '', true);
    perform set_config('request.new_lists', '', true);
  end if;

  return new;
end
$$;

create function private.add_user()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  -- Outside a request there is no caller. Who may not make users names one who is there.
  if request.user_id() is not null
    and has_any_column_privilege('api.users', 'insert')
  then
    insert into api.users (id, email)
    values (request.user_id(), request.email())
    on conflict (id) do nothing;
  end if;

  return null;
end
$$;

create function private.check_if_match()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
  wanted text := trim(both '"' from request.header('if-match'));
begin
  -- PostgreSQL also reads words as times ("today"), and some versions know more of them.
  if wanted <> '*' and wanted !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}' then
    raise invalid_datetime_format;
  end if;

  if wanted <> '*' and wanted::timestamptz <> old.updated_at then
    raise sqlstate 'PT412' using
      message = 'The row has changed since it was read.',
      detail = 'row_stale',
      hint = 'Read it again, and send its updated_at as If-Match.';
  end if;

  return case when tg_op = 'DELETE' then old else new end;
exception
  when data_exception then
    raise sqlstate 'PT400' using
      message = 'If-Match is not a timestamp.',
      detail = 'if_match_invalid',
      hint = 'Send the updated_at of the row, as it was read.';
end
$$;

create function private.end_invitations_to_lists()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  delete from api.lists_invitations
  where list_id = old.group_id
  and invited_by = old.user_id;

  return new;
end
$$;

create function private.keep_inviter_of_lists()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  -- Whoever takes the role away waits until this invitation is there for them to end.
  perform
  from api.lists_members
  where group_id = new.list_id
  and user_id = new.invited_by
  and role = 'owner'
  for share;

  if not found then
    raise sqlstate '42501' using
      message = 'new row violates row-level security policy for table "lists_invitations"';
  end if;

  return new;
end
$$;

create function private.keep_owner_of_lists()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if tg_op = 'UPDATE' and new.role = 'owner' then
    return new;
  end if;

  -- One at a time: else two owners could leave at once, each relying on the other.
  perform
  from api.lists
  where id = old.group_id
  for no key update;

  if not exists (
    select
    from api.lists_members as other
    where other.group_id = old.group_id
    and other.user_id <> old.user_id
    and other.role = 'owner'
  ) then
    raise sqlstate 'PT409' using
      message = 'The last owner has to stay.',
      detail = 'last_owner',
      hint = 'Make another member an owner first, or delete what they share.';
  end if;

  return case when tg_op = 'DELETE' then old else new end;
end
$$;

create function private.limit_affected_rows()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
  affected bigint;
  allowed bigint := coalesce(
    substring(request.header('prefer') from 'max-affected=([0-9]{1,9})')::bigint,
    100
  );
begin
  -- A POST or PUT names its rows one by one; only a filter can match more than intended.
  if coalesce(current_setting('request.method', true), '') not in ('PATCH', 'DELETE') then
    return null;
  end if;

  select count(*) into affected from old_rows;

  if affected > allowed then
    raise sqlstate 'PT400' using
      message = format('The filter matches %s rows; one request may change %s.', affected, allowed),
      detail = 'too_many_rows',
      hint = 'Narrow the filter, or allow it with the header "Prefer: max-affected=<n>".';
  end if;

  return null;
end
$$;

create function private.step_updated_at()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  -- Strictly forward, even when the clock stands still or goes back: it is the row's version.
  new.updated_at := greatest(clock_timestamp(), old.updated_at + interval '1 microsecond');
  return new;
end
$$;

create function request.check()
returns void
language plpgsql
set search_path = ''
as $$
declare
  claims jsonb := request.claims();
  fault text := request.token_fault();
  id text := request.id();
begin
  if id is null then
    id := gen_random_uuid();
    perform set_config('request.made_id', id, true);
    -- PostgREST sends this header in its response. It repeats an id that the client sent by itself.
    perform set_config('response.headers', '[{"X-Request-Id": "' || id || '"}]', true);
  end if;

  -- Log lines and pg_stat_activity show the application name.
  perform set_config('application_name', 'rowhouse ' || id, true);

  -- Without a token PostgREST sets exactly this claim.
  if claims = '{"role": "anonymous"}' then
    return;
  end if;

  if fault is not null then
    raise sqlstate 'PT401' using
      message = 'The token was refused.',
      detail = fault,
      hint = request.token_hint(fault);
  end if;

  -- A user is a UUID everywhere but here. The provider's own name for them stays beside it.
  if claims ->> 'sub' !~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    claims := claims || jsonb_build_object(
      'sub',
      request.user_id_for(claims ->> 'iss', claims ->> 'sub'),
      'original_sub',
      claims ->> 'sub'
    );
    perform set_config('request.jwt.claims', claims::text, true);
  end if;

  -- A sound token that names no role: see request.token_fault().
  if current_user = 'anonymous' then
    perform set_config('role', 'authenticated', true);
  end if;
end
$$;

create function request.claims()
returns jsonb
language sql
stable
parallel safe
as $$
  -- nullif: once set in a session, a custom setting is '' and not null after the transaction.
  select coalesce(nullif(current_setting('request.jwt.claims', true), '')::jsonb, '{}'::jsonb)
$$;

create function request.email()
returns text
language sql
stable
parallel safe
as $$
  -- Some providers also write an address that nobody has confirmed, and say so beside it.
  select case
    when claims ->> 'email_verified' is distinct from 'false'
      then nullif(claims ->> 'email', '')
  end
  from request.claims() as claims
$$;

create function request.header(name text)
returns text
language sql
stable
parallel safe
as $$
  select nullif(current_setting('request.headers', true), '')::jsonb ->> lower(name)
$$;

create function request.id()
returns text
language sql
stable
as $$
  select coalesce(
    substring(request.header('x-request-id') from '^[A-Za-z0-9._-]{1,48}$'),
    -- request.check() sets it. nullif: after the transaction the setting is '' and not null.
    nullif(current_setting('request.made_id', true), '')
  )
$$;

create function request.is_blank(value text)
returns boolean
language sql
immutable
parallel safe
as $$
  -- Spelled out: which characters [[:space:]] and \s match depends on the server's locale.
  select value !~ '[^\s\u0085\u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]'
$$;

create function request.plannable()
returns boolean
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
  -- Comments may stand before the word. request.method is set in requests alone: EXPLAIN stays free
  -- for whoever connects to the database.
  if pg_catalog.current_query() ~* '^(\s|--[^\n]*\n|/\*.*?\*/)*explain\M'
    and coalesce(pg_catalog.current_setting('request.method', true), '') <> ''
  then
    raise sqlstate 'PT400' using
      message = 'Planned and estimated counts are refused: they would count the rows of all users.',
      detail = 'planned_count_refused',
      hint = 'Ask for Prefer: count=exact.';
  end if;

  return true;
end
$$;

create function request.token_fault()
returns text
language sql
stable
as $$
  -- PostgREST verifies the signature, and exp, nbf and iat where they are present, but accepts a
  -- token without them. This requires them. PostgREST allows 30 s of clock skew, too.
  select case
    -- The role is what PostgREST made of the token. One that names none leaves anonymous, and is
    -- taken for a user where the server says so (JWT_ROLE): see request.check().
    when current_user <> 'authenticated'
      and (
        current_user <> 'anonymous'
        or coalesce(current_setting('app.settings.jwt_role', true), '') <> 'authenticated'
      )
      then 'token_role_refused'
    when jsonb_typeof(claims -> 'exp') is distinct from 'number'
      then 'token_exp_missing'
    when (claims ->> 'exp')::numeric < extract(epoch from now()) - 30
      then 'token_expired'
    when (claims ->> 'exp')::numeric > extract(epoch from now()) + 30
      + coalesce(nullif(current_setting('app.settings.jwt_max_lifetime', true), ''), '86400')::numeric
      then 'token_exp_too_late'
    when current_setting('app.settings.jwt_aud', true) is distinct from 'none'
      and (
        jsonb_typeof(claims -> 'aud') not in ('string', 'array')
        or not coalesce(claims -> 'aud' ? nullif(current_setting('app.settings.jwt_aud', true), ''), false)
      )
      then 'token_aud_refused'
    when claims ->> 'iss' is distinct from nullif(current_setting('app.settings.jwt_iss', true), '')
      or claims ->> 'iss' is null
      then 'token_iss_refused'
    when claims ->> 'sub' is null
      then 'token_sub_missing'
    when jsonb_typeof(claims -> 'sub') <> 'string'
      or char_length(claims ->> 'sub') not between 1 and 255
      then 'token_sub_invalid'
  end
  from request.claims() as claims
$$;

create function request.token_hint(fault text)
returns text
language sql
immutable
parallel safe
as $$
  select case fault
    when 'token_role_refused'
      then 'The claim "role" must be "authenticated". Where your provider names no role, set JWT_ROLE=authenticated.'
    when 'token_exp_missing'
      then 'The claim "exp" is required: the time at which the token ends, in seconds since 1970.'
    when 'token_expired'
      then 'The claim "exp" is past: get a new token.'
    when 'token_exp_too_late'
      then 'The claim "exp" is further away than this API allows. Have your provider sign tokens for a shorter time, or set JWT_MAX_LIFETIME to the longest, in seconds.'
    when 'token_aud_refused'
      then 'The claim "aud" is not the audience of this API. Set JWT_AUD to what your provider writes, or to none where it writes none.'
    when 'token_iss_refused'
      then 'The claim "iss" is not the issuer of this API. Set JWT_ISS to what your provider writes, to the character.'
    when 'token_sub_missing'
      then 'The claim "sub" is required: it names the user.'
    when 'token_sub_invalid'
      then 'The claim "sub" must be a text of 1 to 255 characters.'
  end
$$;

create function request.user_id()
returns uuid
language sql
stable
parallel safe
as $$
  -- No SET clause and not security definer, so that PostgreSQL can inline it into policies: there
  -- request.plannable() is called once, when the statement is planned, and leaves nothing behind.
  -- Not by request.claims(): PostgreSQL takes its coalesce for leaky, and searches no index for the
  -- result where a table has a restrictive policy, too.
  -- nullif: once set in a session, a custom setting is '' and not null after the transaction.
  select case
    when request.plannable()
      then nullif(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub', '')::uuid
  end
$$;

create function request.is_member_of_lists(group_id uuid, least_role text default 'viewer')
returns boolean
language sql
stable
parallel safe
security definer
set search_path = ''
-- Not a string: PostgreSQL resolves the names now, and records what the function reads.
return exists (
  select
  from api.lists_members as member
  where member.group_id = is_member_of_lists.group_id
  and member.user_id = request.user_id()
  and array_position(array['viewer', 'editor', 'owner'], member.role)
    >= array_position(array['viewer', 'editor', 'owner'], least_role)
);

create function request.user_id_for(iss text, sub text)
returns uuid
language sql
immutable
parallel safe
as $$
  -- RFC 9562, section 5.8: a UUID of our own making, version 8, from the first 16 bytes of a SHA-256.
  select encode(
    set_byte(
      set_byte(hash, 6, (get_byte(hash, 6) & 15) | 128),
      8,
      (get_byte(hash, 8) & 63) | 128
    ),
    'hex'
  )::uuid
  from (
    select substring(sha256(convert_to(iss || chr(10) || sub, 'UTF8')) from 1 for 16)
  ) as hashed (hash)
$$;

create function request.uuid_v7()
returns uuid
language sql
volatile
parallel safe
as $$
  -- RFC 9562, section 5.7, with method 3 of section 6.2: 48 bits of milliseconds, then 12 bits
  -- of the fraction of the millisecond, so that ids sort in the order they are made.
  -- PostgreSQL has uuidv7() only since 18.
  select encode(
    int8send((us / 1000 << 16) | 28672 | (us % 1000 * 4096 / 1000))
      || substring(uuid_send(gen_random_uuid()) from 9),
    'hex'
  )::uuid
  from (select floor(extract(epoch from clock_timestamp()) * 1000000)::bigint) as clock (us)
$$;

-- What a user is a member of: each request for api.lists begins here.
create index lists_members_user_id on api.lists_members (user_id, group_id);

create trigger add_user
before insert on api.lists_members
for each statement
execute function private.add_user();

-- Members also go with their group or with the account of the user. Such a cascade runs inside
-- another trigger: it is not what the request named, so these conditions leave it alone.
create trigger check_if_match
before update or delete on api.lists_members
for each row
when (pg_trigger_depth() = 0)
execute function private.check_if_match();

create trigger end_invitations
before update on api.lists_members
for each row
when (old.role = 'owner' and new.role <> 'owner')
execute function private.end_invitations_to_lists();

create trigger keep_owner
before update or delete on api.lists_members
for each row
when (old.role = 'owner' and pg_trigger_depth() = 0)
execute function private.keep_owner_of_lists();

create trigger limit_deleted_rows
after delete on api.lists_members
referencing old table as old_rows
for each statement
when (pg_trigger_depth() = 0)
execute function private.limit_affected_rows();

create trigger limit_updated_rows
after update on api.lists_members
referencing old table as old_rows
for each statement
when (pg_trigger_depth() = 0)
execute function private.limit_affected_rows();

create trigger step_updated_at
before update on api.lists_members
for each row
execute function private.step_updated_at();

create policy delete_owners_or_self on api.lists_members
for delete to authenticated
using (user_id = request.user_id() or request.is_member_of_lists(group_id, 'owner'));

-- The second condition is for the user who creates the group: see private.add_owner_of_lists(). The third
-- is for the user who is invited: see api.join_list().
create policy insert_owners on api.lists_members
for insert to authenticated
with check (
  request.is_member_of_lists(group_id, 'owner')
  or (
    group_id = nullif(current_setting('request.created_lists', true), '')::uuid
    and user_id = request.user_id()
    and role = 'owner'
  )
  or (
    concat(group_id, ' ', role) = current_setting('request.invited_lists', true)
    and user_id = request.user_id()
  )
);

create policy select_members on api.lists_members
for select to authenticated
using (user_id = request.user_id() or request.is_member_of_lists(group_id));

create policy update_owners on api.lists_members
for update to authenticated
using (request.is_member_of_lists(group_id, 'owner'))
with check (request.is_member_of_lists(group_id, 'owner'));

comment on column api.lists_members.created_at is
  'When the user became a member.';

comment on column api.lists_members.group_id is
  'What is shared: the id of a row of api.lists.';

comment on column api.lists_members.role is
  'viewer: sees it. editor: also changes it. owner: also deletes it, and decides about members. Default: viewer.';

comment on column api.lists_members.updated_at is
  'When the role last changed. It moves forward on each change: send it as If-Match.';

comment on column api.lists_members.user_id is
  'The member.';

comment on function api.hand_over_list(uuid, uuid) is
  'Makes a member an owner of a list, and the caller, who is one, an editor: both or neither.';

comment on function api.invite_to_list(uuid, text) is
  'Invites to a list that the caller owns. The answer is a token for one person, which counts for 7 days: send it in a link, after a #. It is shown this once.';

comment on function api.join_list(text) is
  'Makes the caller a member of the list that a token of api.invite_to_list() invites to, and uses the token up. The answer is the id of the list.';

comment on function private.add_owner_of_lists() is
  'Before and after an insert: makes the caller the owner of the new row, with the rights of the caller.';

comment on function private.add_user() is
  'Before an insert of rows that a user owns: makes the caller''s row in api.users where it is missing, as api.me() does.';

comment on function private.check_if_match() is
  'Before an update or delete: raises 412 when If-Match is not the row''s updated_at.';

comment on function private.end_invitations_to_lists() is
  'Before an owner gets another role: ends their invitations, by which they could become owner again.';

comment on function private.keep_inviter_of_lists() is
  'Before an insert of an invitation: locks the membership of the owner who invites, and raises 403 when they are none any more.';

comment on function private.keep_owner_of_lists() is
  'Before an owner leaves or gets another role: raises 409 when no other owner would be left.';

comment on function private.limit_affected_rows() is
  'After a PATCH or DELETE: raises 400, which rolls it back, when it affects more than 100 rows, or more than Prefer: max-affected allows.';

comment on function private.step_updated_at() is
  'Before an update: moves updated_at strictly forward.';

comment on function request."check"() is
  'The pre-request check (db-pre-request), run before every request: refuses faulty tokens with 401, makes an id for a request that has none, and writes the id into application_name.';

comment on function request.claims() is
  'The claims of the request''s JWT; an empty object outside a request.';

comment on function request.email() is
  'The email claim of the JWT, which the issuer of the token has signed; null when there is none, or when email_verified is false.';

comment on function request.header(text) is
  'A header of the request by its name, in any case; null when it was not sent.';

comment on function request.id() is
  'The id of the request: the X-Request-Id header where it is 1 to 48 of A-Z a-z 0-9 . _ -, else the one that request.check() made; null outside a request.';

comment on function request.is_blank(text) is
  'Whether a text is empty or only white space, of any kind.';

comment on function request.is_member_of_lists(uuid, text) is
  'Whether the caller is a member with at least this role: viewer, editor or owner. Security definer because the policies of the members ask it, and a query of the members there would ask those policies again.';

comment on function request.plannable() is
  'True, and an error with 400 where a request asks for a plan (Prefer: count=planned or count=estimated). Immutable, although its answer depends on the statement, so that PostgreSQL calls it while it plans, which is when it explains, and never for a row.';

comment on function request.token_fault() is
  'A stable code for the first fault of the request''s token; null when it has none.';

comment on function request.token_hint(text) is
  'What to do about a fault of a token: the claim, and the setting of the server.';

comment on function request.user_id() is
  'The id of the caller: the sub claim of the JWT; null for anonymous.';

comment on function request.user_id_for(text, text) is
  'The id of the user whose provider names them by what is no UUID: always the same for the same iss and sub claims, and another for any other.';

comment on function request.uuid_v7() is
  'A new UUID, version 7, which sorts by creation time.';

comment on policy delete_owners_or_self on api.lists_members is
  'Owners remove members, and a member may leave. The last owner stays.';

comment on policy insert_owners on api.lists_members is
  'Owners add members. The first owner is the user who creates the row of api.lists, and who accepts an invitation adds themselves.';

comment on policy select_members on api.lists_members is
  'A user sees the members of what they are a member of.';

comment on policy update_owners on api.lists_members is
  'Owners change the role of members. The last owner stays owner.';

comment on table api.lists_members is
  'Who shares which of api.lists, and in which role. A user sees the members of what they are a member of.';

grant
  select (group_id, user_id, role, created_at, updated_at),
  insert (group_id, user_id, role),
  update (role),
  delete
on api.lists_members to authenticated;

grant execute on function api.hand_over_list(uuid, uuid) to authenticated;

grant execute on function api.invite_to_list(uuid, text) to authenticated;

grant execute on function api.join_list(text) to authenticated;

grant execute on function request."check"() to anonymous;

grant execute on function request."check"() to authenticated;

grant execute on function request.claims() to anonymous;

grant execute on function request.claims() to authenticated;

grant execute on function request.email() to authenticated;

grant execute on function request.header(text) to anonymous;

grant execute on function request.header(text) to authenticated;

grant execute on function request.id() to anonymous;

grant execute on function request.id() to authenticated;

grant execute on function request.is_blank(text) to authenticated;

grant execute on function request.plannable() to anonymous;

grant execute on function request.plannable() to authenticated;

grant execute on function request.token_fault() to anonymous;

grant execute on function request.token_fault() to authenticated;

grant execute on function request.token_hint(text) to anonymous;

grant execute on function request.token_hint(text) to authenticated;

grant execute on function request.user_id() to anonymous;

grant execute on function request.user_id() to authenticated;

grant execute on function request.user_id_for(text, text) to anonymous;

grant execute on function request.user_id_for(text, text) to authenticated;

grant execute on function request.uuid_v7() to authenticated;

grant execute on function request.is_member_of_lists(uuid, text) to authenticated;

create table api.lists_invitations (
  list_id uuid not null,
  id uuid not null default request.uuid_v7(),
  role text not null default 'viewer',
  invited_by uuid not null default request.user_id(),
  token_hash text not null,
  expires_at timestamptz not null default now() + interval '7 days',
  constraint lists_invitations_pkey primary key (list_id, id),
  constraint lists_invitations_token_hash unique (token_hash),
  -- An owner who leaves takes their invitations along: else they could come back by one.
  constraint lists_invitations_invited_by_fkey foreign key (list_id, invited_by) references api.lists_members (group_id, user_id) on delete cascade,
  constraint lists_invitations_role check (role in ('owner', 'editor', 'viewer')),
  constraint lists_invitations_token_hash_form check (token_hash ~ '^[0-9a-f]{64}$')
);

alter table api.lists_invitations enable row level security;

alter table api.lists_invitations force row level security;

create table api.lists (
  id uuid not null default request.uuid_v7(),
  title text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint lists_pkey primary key (id),
  constraint lists_title_length check (char_length(title) between 1 and 200)
);

alter table api.lists enable row level security;

alter table api.lists force row level security;

create table api.users (
  id uuid not null default request.uuid_v7(),
  email text,
  name text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint users_pkey primary key (id),
  constraint users_email_form check (email ~ '^[^@\s]+@[^@\s]+$' and char_length(email) <= 320),
  constraint users_name_length check (char_length(name) between 1 and 200),
  constraint users_name_not_blank check (not request.is_blank(name))
);

alter table api.users enable row level security;

alter table api.users force row level security;

create function api.me()
returns api.users
language sql
volatile
set search_path = ''
as $$
  insert into api.users (id, email)
  values (request.user_id(), request.email())
  on conflict (id) do nothing;

  select * from api.users where id = request.user_id();
$$;

-- Not unique: an error would reveal that another user has the address. The id, which is the sub
-- claim, identifies a user.
create index users_email on api.users (email);

create trigger add_owner
after insert on api.lists
for each row
execute function private.add_owner_of_lists();

create trigger announce_owner
before insert on api.lists
for each row
execute function private.add_owner_of_lists();

create trigger check_if_match
before update or delete on api.lists
for each row
execute function private.check_if_match();

create trigger limit_deleted_rows
after delete on api.lists
referencing old table as old_rows
for each statement
execute function private.limit_affected_rows();

create trigger limit_updated_rows
after update on api.lists
referencing old table as old_rows
for each statement
execute function private.limit_affected_rows();

create trigger step_updated_at
before update on api.lists
for each row
execute function private.step_updated_at();

create trigger keep_inviter
before insert on api.lists_invitations
for each row
execute function private.keep_inviter_of_lists();

create trigger limit_deleted_rows
after delete on api.lists_invitations
referencing old table as old_rows
for each statement
when (pg_trigger_depth() = 0)
execute function private.limit_affected_rows();

create trigger check_if_match
before update or delete on api.users
for each row
execute function private.check_if_match();

create trigger step_updated_at
before update on api.users
for each row
execute function private.step_updated_at();

create policy insert_users on api.lists
for insert to authenticated
with check (request.user_id() is not null);

create policy delete_owners_or_invited on api.lists_invitations
for delete to authenticated
using (
  request.is_member_of_lists(list_id, 'owner')
  or token_hash = current_setting('request.invitation', true)
);

create policy insert_owners on api.lists_invitations
for insert to authenticated
with check (request.is_member_of_lists(list_id, 'owner'));

create policy select_owners_or_invited on api.lists_invitations
for select to authenticated
using (
  list_id = any (array(
    select group_id
    from api.lists_members
    where user_id = (select request.user_id())
    and role = 'owner'
  ))
  or token_hash = current_setting('request.invitation', true)
);

comment on column api.lists.created_at is
  'When the row was created.';

comment on column api.lists.title is
  'What it is about: 1 to 200 characters.';

comment on column api.lists.updated_at is
  'When the row last changed. It moves forward on each change: send it as If-Match.';

comment on column api.lists_invitations.expires_at is
  'Until when the token counts: 7 days.';

comment on column api.lists_invitations.list_id is
  'The list.';

comment on column api.lists_invitations.role is
  'The role that the invited user gets: owner, editor or viewer. Default: viewer.';

comment on column api.lists_invitations.token_hash is
  'The SHA-256 of the token, in hexadecimal digits. The token itself is in the link alone.';

comment on column api.users.created_at is
  'When the user was created.';

comment on column api.users.email is
  'The email claim of the token when the user was created; null if it had none.';

comment on column api.users.name is
  'The display name: 1 to 200 characters, not all blank.';

comment on column api.users.updated_at is
  'When the user last changed. It moves forward on each change: send it as If-Match.';

comment on function api.me() is
  'The caller''s own user row. The first call creates it from the sub and email claims of the token.';

comment on policy insert_users on api.lists is
  'A user creates rows, and becomes their owner.';

comment on policy delete_owners_or_invited
  on api.lists_invitations is
  'Owners take invitations back, and who brings a token uses it up.';

comment on policy insert_owners on api.lists_invitations is
  'Owners invite, in their own name.';

comment on policy select_owners_or_invited
  on api.lists_invitations is
  'Owners see the invitations to their lists, and who brings a token the one that it belongs to.';

comment on table api.lists is
  'Rows of lists, shared by their members. A user sees those that they are a member of.';

comment on table api.lists_invitations is
  'Invitations that are open. A user sees those to the lists that they own.';

comment on table api.users is
  'Users who have signed in. A user sees only their own row.';

alter table api.lists_members
  add constraint lists_members_group_id_fkey foreign key (group_id) references api.lists(id)
    on delete cascade;

create policy delete_owners on api.lists
for delete to authenticated
using (request.is_member_of_lists(id, 'owner'));

-- The array is read once for each request, and its ids are searched in the primary key; a function
-- of the id would be called for each row of all users. The inner select lets the array be read by
-- index: without it, PostgreSQL first asks the policy of the members, for each of them. The second
-- condition is for the row that this statement creates: see private.add_owner_of_lists().
create policy select_members on api.lists
for select to authenticated
using (
  id = any (array(select group_id from api.lists_members where user_id = (select request.user_id())))
  or id = nullif(current_setting('request.new_lists', true), '')::uuid
);

create policy update_editors on api.lists
for update to authenticated
using (request.is_member_of_lists(id, 'editor'))
with check (request.is_member_of_lists(id, 'editor'));

comment on column api.lists.id is
  'A UUID, version 7, so that rows sort by age. The database makes it.';

comment on policy delete_owners on api.lists is
  'Owners delete what they share, for all its members.';

comment on policy select_members on api.lists is
  'A user sees what they are a member of.';

comment on policy update_editors on api.lists is
  'Editors and owners change what they share.';

comment on column api.lists_invitations.id is
  'A UUID, version 7. The database makes it.';

create index lists_invitations_invited_by on api.lists_invitations (list_id, invited_by);

comment on column api.lists_invitations.invited_by is
  'The owner who invited. Their invitations end when they stop to be one.';

alter table api.lists_members
  add constraint lists_members_user_id_fkey foreign key (user_id) references api.users(id)
    on delete cascade;

create policy insert_own on api.users
for insert to authenticated
with check (id = request.user_id() and email is not distinct from request.email());

create policy select_own on api.users
for select to authenticated
using (id = request.user_id());

create policy update_own on api.users
for update to authenticated
using (id = request.user_id())
with check (id = request.user_id());

comment on column api.users.id is
  'The id of the user: the sub claim of their token.';

comment on policy insert_own on api.users is
  'A user creates their own row, with the email address of their token.';

comment on policy select_own on api.users is
  'A user sees their own row.';

comment on policy update_own on api.users is
  'A user changes their own row.';

grant
  select (id, title, created_at, updated_at),
  insert (title),
  update (title),
  delete
on api.lists to authenticated;

grant
  select (list_id, id, role, invited_by, token_hash, expires_at),
  insert (list_id, role, token_hash),
  delete
on api.lists_invitations to authenticated;

grant
  select (id, email, name, created_at, updated_at),
  insert (id, email, name),
  update (name)
on api.users to authenticated;

grant execute on function api.me() to authenticated;

create table api.list_items (
  list_id uuid not null,
  id uuid not null default request.uuid_v7(),
  title text not null,
  completed boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint list_items_pkey primary key (list_id, id),
  constraint list_items_list_id_fkey foreign key (list_id) references api.lists (id) on delete cascade,
  constraint list_items_id_version check (substring(id::text from 15 for 1) = '7'),
  constraint list_items_title_length check (char_length(title) between 1 and 200),
  constraint list_items_title_not_blank check (not request.is_blank(title))
);

alter table api.list_items enable row level security;

alter table api.list_items force row level security;

-- Items also go with their list. Such a cascade runs inside another trigger: it is not what the
-- request named, so these conditions leave it alone.
create trigger check_if_match
before update or delete on api.list_items
for each row
when (pg_trigger_depth() = 0)
execute function private.check_if_match();

create trigger limit_deleted_rows
after delete on api.list_items
referencing old table as old_rows
for each statement
when (pg_trigger_depth() = 0)
execute function private.limit_affected_rows();

create trigger limit_updated_rows
after update on api.list_items
referencing old table as old_rows
for each statement
when (pg_trigger_depth() = 0)
execute function private.limit_affected_rows();

create trigger step_updated_at
before update on api.list_items
for each row
execute function private.step_updated_at();

create policy delete_editors on api.list_items
for delete to authenticated
using (request.is_member_of_lists(list_id, 'editor'));

create policy insert_editors on api.list_items
for insert to authenticated
with check (request.is_member_of_lists(list_id, 'editor'));

-- The array is read once for each request: see select_members of api.lists.
create policy select_members on api.list_items
for select to authenticated
using (
  list_id = any (array(select group_id from api.lists_members where user_id = (select request.user_id())))
);

create policy update_editors on api.list_items
for update to authenticated
using (request.is_member_of_lists(list_id, 'editor'))
with check (request.is_member_of_lists(list_id, 'editor'));

comment on column api.list_items.completed is
  'Whether it is done.';

comment on column api.list_items.created_at is
  'When the item was created.';

comment on column api.list_items.list_id is
  'The list.';

comment on column api.list_items.title is
  'What it is: 1 to 200 characters, not all blank.';

comment on column api.list_items.updated_at is
  'When the item last changed. It moves forward on each change: send it as If-Match.';

comment on policy delete_editors on api.list_items is
  'Editors and owners delete items.';

comment on policy insert_editors on api.list_items is
  'Editors and owners add items.';

comment on policy select_members on api.list_items is
  'A user sees the items of what they are a member of.';

comment on policy update_editors on api.list_items is
  'Editors and owners change items.';

comment on table api.list_items is
  'What is on a list. A user sees the items of the lists that they are a member of.';

comment on column api.list_items.id is
  'A UUID, version 7, so that items sort by age. Default: a new one. A client that sends its own can safely repeat the create.';

grant
  select (list_id, id, title, completed, created_at, updated_at),
  insert (list_id, id, title, completed),
  update (title, completed),
  delete
on api.list_items to authenticated;

notify pgrst, 'reload schema';

-- migrate:down

set local lock_timeout = '3s';

drop policy delete_editors on api.list_items;

drop policy insert_editors on api.list_items;

drop policy select_members on api.list_items;

drop policy update_editors on api.list_items;

drop policy delete_owners on api.lists;

drop policy insert_users on api.lists;

drop policy select_members on api.lists;

drop policy update_editors on api.lists;

drop policy delete_owners_or_invited on api.lists_invitations;

drop policy insert_owners on api.lists_invitations;

drop policy select_owners_or_invited on api.lists_invitations;

drop policy delete_owners_or_self on api.lists_members;

drop policy insert_owners on api.lists_members;

drop policy select_members on api.lists_members;

drop policy update_owners on api.lists_members;

drop policy insert_own on api.users;

drop policy select_own on api.users;

drop policy update_own on api.users;

drop function api.hand_over_list(uuid, uuid);

drop function api.invite_to_list(uuid, text);

drop function api.join_list(text);

drop function api.me();

drop function request."check"();

drop function request.claims();

drop function request.email();

drop function request.header(text);

drop function request.id();

drop function request.is_member_of_lists(uuid, text);

drop function request.plannable();

drop function request.token_fault();

drop function request.token_hint(text);

drop function request.user_id_for(text, text);

drop table api.list_items;

drop table api.lists_invitations;

drop function request.user_id();

drop table api.lists_members;

drop function private.add_user();

drop function private.end_invitations_to_lists();

drop function private.keep_inviter_of_lists();

drop function private.keep_owner_of_lists();

drop table api.lists;

drop function private.add_owner_of_lists();

drop function private.limit_affected_rows();

drop table api.users;

drop function private.check_if_match();

drop function private.step_updated_at();

drop function request.is_blank(text);

drop function request.uuid_v7();

notify pgrst, 'reload schema';
