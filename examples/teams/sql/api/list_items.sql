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

-- Items also go with their list. Such a cascade runs inside another trigger: it is not what the
-- request named, so these conditions leave it alone.
create trigger check_if_match
before update or delete on api.list_items
for each row
when (pg_trigger_depth() = 0)
execute function private.check_if_match();

create trigger step_updated_at
before update on api.list_items
for each row
execute function private.step_updated_at();

create trigger limit_updated_rows
after update on api.list_items
referencing old table as old_rows
for each statement
when (pg_trigger_depth() = 0)
execute function private.limit_affected_rows();

create trigger limit_deleted_rows
after delete on api.list_items
referencing old table as old_rows
for each statement
when (pg_trigger_depth() = 0)
execute function private.limit_affected_rows();
