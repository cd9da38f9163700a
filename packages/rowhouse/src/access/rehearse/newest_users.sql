-- The newest users, less some ($1), and how many there are of all.
with users as (
  /* users */
)
select
  id,
  email,
  claims,
  (
    select count(*)::int
    from users
  ) as total
from users
where id <> all ($1::text[])
order by created desc nulls last, id collate "C" desc
limit $2
