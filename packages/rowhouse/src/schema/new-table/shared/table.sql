create table api.__table__ (
  id uuid not null default request.uuid_v7(),
  title text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint __table___pkey primary key (id),
  constraint __table___title_length check (char_length(title) between 1 and 200)
);

create trigger announce_owner
before insert on api.__table__
for each row
execute function private.add_owner_of___table__();

create trigger add_owner
after insert on api.__table__
for each row
execute function private.add_owner_of___table__();

-- A row also goes with the account of its only member. That runs inside another trigger: it is not what
-- the request named, so this condition leaves it alone.
create trigger check_if_match
before update or delete on api.__table__
for each row
when (pg_trigger_depth() = 0)
execute function private.check_if_match();

create trigger step_updated_at
before update on api.__table__
for each row
execute function private.step_updated_at();

create trigger limit_updated_rows
after update on api.__table__
referencing old table as old_rows
for each statement
execute function private.limit_affected_rows();

create trigger limit_deleted_rows
after delete on api.__table__
referencing old table as old_rows
for each statement
execute function private.limit_affected_rows();
