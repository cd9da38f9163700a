-- What no plan says of columns: the options of those of foreign tables, and defaults of what inherits (a partition,
-- too) that are not those of its parents. $1 are the schemas of the platform.
with recursive tree (root, part, parent, depth) as (
  select oid, oid, null::oid, 0
  from pg_catalog.pg_class
  where relkind in ('r', 'p', 'f')
  and not exists (select from pg_catalog.pg_inherits where inhrelid = pg_class.oid)
  union
  select tree.root, inhrelid, inhparent, depth + 1
  from tree
  join pg_catalog.pg_inherits on inhparent = tree.part
),
value (relation, name, expression) as (
  select attrelid, attname, pg_get_expr(adbin, adrelid)
  from pg_catalog.pg_attribute
  left join pg_catalog.pg_attrdef on adrelid = attrelid and adnum = attnum
  where attnum > 0
  and not attisdropped
  and attgenerated = ''
  and attidentity = ''
)
select
  format(
    'alter table %s alter column %I %s',
    tree.part::regclass,
    own.name,
    coalesce('set default ' || own.expression, 'drop default')
  ) as sql,
  max(depth) as depth
from tree
join value as own on own.relation = tree.part
join value as above on above.relation = tree.parent and above.name = own.name
left join value as top on top.relation = tree.root and top.name = own.name
join pg_catalog.pg_class as class on class.oid = tree.part
where relnamespace::regnamespace::text <> all ($1::text[])
-- What inherits begins with what the one above has when it is made.
and (own.expression is distinct from top.expression or above.expression is distinct from top.expression)
group by sql
union all
select
  format(
    'alter foreign table %s alter column %I options (%s)',
    attrelid::regclass,
    attname,
    (select string_agg(format('add %I %L', option_name, option_value), ', ' order by option_name) from pg_options_to_table(attfdwoptions))
  ),
  0
from pg_catalog.pg_attribute
join pg_catalog.pg_class as class on class.oid = attrelid
where attfdwoptions is not null
and not attisdropped
and relnamespace::regnamespace::text <> all ($1::text[])
order by depth, sql
