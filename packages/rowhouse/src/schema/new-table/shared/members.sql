create table api.__table___members (
  group_id uuid not null,
  user_id uuid not null,
  role text not null default 'viewer',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint __table___members_pkey primary key (group_id, user_id),
  constraint __table___members_user_id_fkey foreign key (user_id) references api.users (id) on delete cascade,
  constraint __table___members_role check (role in ('owner', 'editor', 'viewer'))
);

-- On its own, so that a migration can create the two tables in any order.
alter table api.__table___members
  add constraint __table___members_group_id_fkey foreign key (group_id) references api.__table__ (id) on delete cascade;

-- What a user is a member of: each request for api.__table__ begins here.
create index __table___members_user_id on api.__table___members (user_id, group_id);

create trigger add_user
before insert on api.__table___members
for each statement
execute function private.add_user();

-- Members also go with their group or with the account of the user. Such a cascade runs inside
-- another trigger: it is not what the request named, so these conditions leave it alone.
create trigger check_if_match
before update or delete on api.__table___members
for each row
when (pg_trigger_depth() = 0)
execute function private.check_if_match();

-- When the account of a user ends: what they alone own passes to another member, or goes with them.
create trigger announce_end_to___table__
before delete on api.users
for each row
execute function private.announce_end_to___table__();

create trigger pass_on
before delete on api.__table___members
for each statement
when (current_setting('request.ended_users_of___table__', true) <> '')
execute function private.pass_on___table__();

create trigger end_with_members
before delete on api.__table___members
for each row
when (pg_trigger_depth() > 0 and old.role = 'owner')
execute function private.end___table___with_members();

create trigger step_updated_at
before update on api.__table___members
for each row
execute function private.step_updated_at();

create trigger keep_owner_on_update
after update on api.__table___members
referencing old table as old_rows
for each statement
when (pg_trigger_depth() = 0)
execute function private.keep_owner_of___table__();

create trigger keep_owner_on_delete
after delete on api.__table___members
referencing old table as old_rows
for each statement
when (pg_trigger_depth() = 0)
execute function private.keep_owner_of___table__();

create trigger limit_updated_rows
after update on api.__table___members
referencing old table as old_rows
for each statement
when (pg_trigger_depth() = 0)
execute function private.limit_affected_rows();

create trigger limit_deleted_rows
after delete on api.__table___members
referencing old table as old_rows
for each statement
when (pg_trigger_depth() = 0)
execute function private.limit_affected_rows();
