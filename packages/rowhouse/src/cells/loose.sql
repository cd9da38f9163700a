-- Tables that a user reaches, in the schemas $1, whose rows name a user in user_id.
select pg_class.oid::regclass::text as name
from pg_class
join pg_attribute on attrelid = pg_class.oid
where relnamespace in (select oid from pg_namespace where nspname = any ($1))
and relkind in ('r', 'p')
and not relispartition
and attname = 'user_id'
and atttypid = 'uuid'::regtype
order by 1
