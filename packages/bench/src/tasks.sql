-- Tasks $1 to $2 of all. They are written in the order of their ids, so that the tasks of a user lie
-- scattered over the table, as in a database that grew. Every $3rd is of user 0, until there are $4;
-- of the rest every tenth is of user 1, if $5; and the others take turns, $6 of them. One in a
-- thousand of a user's tasks is a needle.
insert into api.tasks (user_id, id, title)
select
  md5('user ' || owner.number)::uuid,
  encode(
    int8send(((1700000000000 + task.number) << 16) | 28672)
      || substring(uuid_send(gen_random_uuid()) from 9),
    'hex'
  )::uuid,
  case when owner.turn % 1000 = 0 then 'Find the needle ' else 'Task ' end || task.number
from generate_series($1::bigint, $2::bigint) as task (number)
cross join lateral (
  select
    case
      when task.number % $3::bigint = 1 and task.number / $3::bigint < $4::bigint then 0
      when $5::boolean and task.number % 10 = 0 then 1
      else 2 + task.number % $6::bigint
    end,
    case
      when task.number % $3::bigint = 1 and task.number / $3::bigint < $4::bigint
      then task.number / $3::bigint
      when $5::boolean and task.number % 10 = 0 then task.number / 10
      else task.number / $6::bigint
    end
) as owner (number, turn)
