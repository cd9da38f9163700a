-- Foreign keys: gone, and without the owner where other columns are left. The latter needs a key
-- of those columns to point at, which is made when it is missing.
with pair as (
  select
    con.oid,
    string_agg(quote_ident(own.attname), ', ' order by key.position) as own_columns,
    string_agg(quote_ident(their.attname), ', ' order by key.position) as their_columns,
    array_agg(their.attnum order by their.attnum) as their_numbers
  from pg_catalog.pg_constraint as con
  cross join lateral unnest(con.conkey, con.confkey) with ordinality as key (own, their, position)
  join pg_catalog.pg_attribute as own
    on own.attrelid = con.conrelid
    and own.attnum = key.own
  join pg_catalog.pg_attribute as their
    on their.attrelid = con.confrelid
    and their.attnum = key.their
  left join owner_column
    on owner_column.relation = con.conrelid
    and owner_column.number = key.own
  where con.contype = 'f'
  and owner_column.number is null
  group by con.oid
)
select
  con.oid,
  con.connamespace as namespace,
  'foreign key dropped' as kind,
  format('%I on %s', con.conname, con.conrelid::regclass) as object,
  format('alter table %s drop constraint %I;', con.conrelid::regclass, con.conname) as sql
from pg_catalog.pg_constraint as con
where con.contype = 'f'
and con.conparentid = 0
union all
select
  con.oid,
  con.connamespace,
  'foreign key without ' || owner.name,
  format('%I on %s', con.conname, con.conrelid::regclass),
  concat(
    case
      when not exists (
        select
        from pg_catalog.pg_index as index
        where index.indrelid = con.confrelid
        and index.indisunique
        and index.indpred is null
        and array(select number from unnest(index.indkey::int2[]) as number order by number) = pair.their_numbers
      )
      then format(e'alter table %s add unique (%s);\n\n', con.confrelid::regclass, pair.their_columns)
    end,
    format(
      e'alter table %s\n  drop constraint %I,\n  add constraint %2$I foreign key (%s) references %s (%s)',
      con.conrelid::regclass,
      con.conname,
      pair.own_columns,
      con.confrelid::regclass,
      pair.their_columns
    ),
    case con.confdeltype when 'c' then ' on delete cascade' when 'n' then ' on delete set null' when 'd' then ' on delete set default' when 'r' then ' on delete restrict' end,
    ';'
  )
from pg_catalog.pg_constraint as con
join pair on pair.oid = con.oid
join (
  select owner_column.relation, owner_column.number, quote_ident(attribute.attname) as name
  from owner_column
  join pg_catalog.pg_attribute as attribute
    on attribute.attrelid = owner_column.relation
    and attribute.attnum = owner_column.number
) as owner
  on owner.relation = con.conrelid
  and owner.number = any (con.conkey)
where con.conparentid = 0
order by object, kind
