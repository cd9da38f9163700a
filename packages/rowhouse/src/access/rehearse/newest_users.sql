-- The newest users, less some, and how many there are of all.
select
  id,
  email,
  (
    select count(*)::int
    from api.users
  ) as total
from api.users
where id <> all ($1::uuid[])
order by created_at desc, id desc
limit $2
