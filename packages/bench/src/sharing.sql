-- 2,000 users, 10,000 lists with 20 members and 20 items each, and 200,000 notes with one owner each: whoever
-- asks reaches 100 lists, what is on them, and 100 notes.
insert into api.users (id)
select md5('user ' || number)::uuid
from generate_series(0, 1999) as number;

insert into api.lists (title)
select 'List ' || number
from generate_series(1, 10000) as number;

insert into api.lists_members (group_id, user_id, role)
select list.id, md5('user ' || (list.number * 20 + member.number) % 2000)::uuid, 'viewer'
from (select id, row_number() over (order by id) from api.lists) as list (id, number)
cross join generate_series(0, 19) as member (number);

insert into api.list_items (list_id, title)
select lists.id, 'Item ' || number
from api.lists
cross join generate_series(1, 20) as number;

create table api.notes (
  user_id uuid not null,
  id uuid not null default request.uuid_v7(),
  title text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (user_id, id)
);

alter table api.notes enable row level security;

grant select on api.notes to authenticated;

create policy select_own on api.notes
for select to authenticated
using (user_id = request.user_id());

insert into api.notes (user_id, title)
select md5('user ' || number % 2000)::uuid, 'Note ' || number
from generate_series(1, 200000) as number;

notify pgrst, 'reload schema';
