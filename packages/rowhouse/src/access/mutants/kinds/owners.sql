-- The column that names the owner of a row. A column of a primary key is never null, so the key
-- becomes a unique constraint over the same columns where the owner is part of it.
with owner as (
  select
    attribute.attrelid,
    attribute.attname,
    attribute.attnotnull,
    attribute.atthasdef,
    con.conname,
    con.conkey
  from owner_column
  join pg_catalog.pg_attribute as attribute
    on attribute.attrelid = owner_column.relation
    and attribute.attnum = owner_column.number
  left join pg_catalog.pg_constraint as con
    on con.conrelid = attribute.attrelid
    and con.contype = 'p'
    and attribute.attnum = any (con.conkey)
)
select
  class.oid,
  class.relnamespace as namespace,
  format('%I without NOT NULL', owner.attname) as kind,
  format('%s.%I', class.oid::regclass, owner.attname) as object,
  format(
    e'alter table %s%s\n  alter column %I drop not null%s;',
    class.oid::regclass,
    e'\n  drop constraint ' || quote_ident(owner.conname) || ' cascade,',
    owner.attname,
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
  format('%I without default', owner.attname),
  format('%s.%I', class.oid::regclass, owner.attname),
  format('alter table %s alter column %I drop default;', class.oid::regclass, owner.attname)
from owner
join pg_catalog.pg_class as class on class.oid = owner.attrelid
where class.relkind in ('r', 'p')
and owner.atthasdef
order by object, kind
