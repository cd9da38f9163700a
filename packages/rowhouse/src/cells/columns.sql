-- What a row of a table is written with, and whether a sequence numbers it.
select
  quote_ident(attname) as name,
  format_type(atttypid, atttypmod) as type,
  attidentity <> '' or coalesce(pg_get_expr(adbin, adrelid) like '%nextval(%', false) as numbered
from pg_attribute
left join pg_attrdef on adrelid = attrelid and adnum = attnum
where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''
order by attname
