-- Primary keys and unique constraints without user_id: then an id that is taken in one user's
-- house is taken in all, and a user who tries finds out. Foreign keys to the key go (cascade).
select
  con.oid,
  con.connamespace as namespace,
  'key without user_id' as kind,
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
    string_agg(quote_ident(attribute.attname), ', ' order by key.position) filter (where attribute.attname <> 'user_id') as columns,
    bool_or(attribute.attname = 'user_id') as is_owned
  from unnest(con.conkey) with ordinality as key (number, position)
  join pg_catalog.pg_attribute as attribute
    on attribute.attrelid = con.conrelid
    and attribute.attnum = key.number
) as rest
where con.contype in ('p', 'u')
and con.conparentid = 0
and rest.is_owned
and rest.columns is not null
order by object
