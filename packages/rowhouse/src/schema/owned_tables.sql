-- The tables of the API whose primary key is (user_id, id): each row belongs to one user.
select class.relname as name
from pg_catalog.pg_class as class
join pg_catalog.pg_constraint as pkey
  on pkey.conrelid = class.oid
  and pkey.contype = 'p'
where class.relnamespace = 'api'::regnamespace
and array(
  select attribute.attname::text
  from unnest(pkey.conkey) with ordinality as key (attnum, position)
  join pg_catalog.pg_attribute as attribute
    on attribute.attrelid = class.oid
    and attribute.attnum = key.attnum
  order by key.position
) = array['user_id', 'id']
order by name
