-- Users 0 and 1 are measured; $1 others share the rest of the tasks.
insert into api.users (id)
select md5('user ' || number)::uuid
from generate_series(0, $1::int + 1) as number
