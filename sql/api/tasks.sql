create table api.tasks (
  user_id uuid not null default request.user_id(),
  id uuid not null default request.uuid_v7(),
  title text not null,
  description text not null default '',
  completed boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint tasks_pkey primary key (user_id, id),
  constraint tasks_user_id_fkey foreign key (user_id) references api.users (id) on delete cascade,
  constraint tasks_id_version check (substring(id::text from 15 for 1) = '7'),
  constraint tasks_title_length check (char_length(title) between 1 and 200),
  constraint tasks_title_not_blank check (not request.is_blank(title)),
  constraint tasks_description_length check (char_length(description) <= 10000)
);

create trigger add_user
before insert on api.tasks
for each statement
execute function private.add_user();

create trigger check_if_match
before update or delete on api.tasks
for each row
execute function private.check_if_match();

create trigger step_updated_at
before update on api.tasks
for each row
execute function private.step_updated_at();

create trigger limit_updated_rows
after update on api.tasks
referencing old table as old_rows
for each statement
execute function private.limit_affected_rows();

create trigger limit_deleted_rows
after delete on api.tasks
referencing old table as old_rows
for each statement
execute function private.limit_affected_rows();
