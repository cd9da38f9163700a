-- Primary keys and unique constraints without the owner: then an id that one user has taken is taken
-- for all, and a user who tries finds out. Foreign keys to the key go (cascade).
select
  con.oid,
  con.connamespace as namespace,
  'key without ' || rest.owner as kind,
  format('%I on %s', con.conname, con.conrelid::regclass) as object,
  format(
    e'alter table %s\n  drop constraint %I cascade,\n  add constraint %2$I %s (%s);',
    con.conrelid::regclass,
    con.conname,
    case con.contype when 'p' then 'primary key' else 'unique' end,
    rest.columns
  ) as sql
from pg_catalog.pg_constraint as con
cross join lateral (
  select
    string_agg(quote_ident(attribute.attname), ', ' order by key.position) filter (where owner_column.number is null) as columns,
    min(quote_ident(attribute.attname)) filter (where owner_column.number is not null) as owner
  from unnest(con.conkey) with ordinality as key (number, position)
  join pg_catalog.pg_attribute as attribute
    on attribute.attrelid = con.conrelid
    and attribute.attnum = key.number
  left join owner_column
    on owner_column.relation = con.conrelid
    and owner_column.number = key.number
) as rest
where con.contype in ('p', 'u')
and con.conparentid = 0
and rest.owner is not null
and rest.columns is not null
order by object
