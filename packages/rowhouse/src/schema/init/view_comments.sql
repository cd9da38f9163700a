select format(E'comment on column %s.%I is\n  %L', class.oid::regclass, attname, description) as sql
from pg_catalog.pg_class as class
join pg_catalog.pg_attribute on attrelid = class.oid
join pg_catalog.pg_description on objoid = class.oid and objsubid = attnum and classoid = 'pg_class'::regclass
where relkind in ('v', 'm')
and class.oid >= 16384
and attnum > 0
and not exists (select from pg_catalog.pg_depend where objid = class.oid and deptype = 'e')
and relnamespace::regnamespace::text <> all ($1::text[])
order by class.oid::regclass::text, attnum
