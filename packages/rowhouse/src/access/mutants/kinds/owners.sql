-- The column that names the owner of a row. A column of a primary key is never null, so the key
-- becomes a unique constraint over the same columns where user_id is part of it.
with owner as (
  select
    attribute.attrelid,
    attribute.attnotnull,
    attribute.atthasdef,
    con.conname,
    con.conkey
  from pg_catalog.pg_attribute as attribute
  left join pg_catalog.pg_constraint as con
    on con.conrelid = attribute.attrelid
    and con.contype = 'p'
    and attribute.attnum = any (con.conkey)
  where attribute.attname = 'user_id'
  and attribute.attnum > 0
)
select
  class.oid,
  class.relnamespace as namespace,
  'user_id without NOT NULL' as kind,
  format('%s.user_id', class.oid::regclass) as object,
  format(
    e'alter table %s%s\n  alter column user_id drop not null%s;',
    class.oid::regclass,
    e'\n  drop constraint ' || quote_ident(owner.conname) || ' cascade,',
    e',\n  add constraint ' || quote_ident(owner.conname) || ' unique (' || (
      select string_agg(quote_ident(attribute.attname), ', ' order by key.position)
      from unnest(owner.conkey) with ordinality as key (number, position)
      join pg_catalog.pg_attribute as attribute
        on attribute.attrelid = class.oid
        and attribute.attnum = key.number
    ) || ')'
  ) as sql
from owner
join pg_catalog.pg_class as class on class.oid = owner.attrelid
where class.relkind in ('r', 'p')
and owner.attnotnull
union all
select
  class.oid,
  class.relnamespace,
  'user_id without default',
  format('%s.user_id', class.oid::regclass),
  format('alter table %s alter column user_id drop default;', class.oid::regclass)
from owner
join pg_catalog.pg_class as class on class.oid = owner.attrelid
where class.relkind in ('r', 'p')
and owner.atthasdef
order by object, kind
