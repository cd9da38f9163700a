-- Settings in this database, of all roles or of one, but for those of PostgREST, and for what looks like
-- a secret ($1). Lists ($2) are kept as a list, with the quotes that they have.
select
  setrole::regrole::text as written,
  rolname as role,
  (
    select string_agg(quote_ident(part), '.' order by place)
    from string_to_table(setting.name, '.') with ordinality as parts (part, place)
  ) as name,
  case when lower(setting.name) = any ($2)
    then setting.value
    else quote_literal(setting.value)
  end as value
from pg_catalog.pg_db_role_setting
left join pg_catalog.pg_roles on pg_roles.oid = setrole
cross join unnest(setconfig) as one
cross join lateral (
  select split_part(one, '=', 1), substr(one, strpos(one, '=') + 1)
) as setting (name, value)
where setdatabase = (select oid from pg_catalog.pg_database where datname = current_database())
and setting.name not like 'pgrst.%'
and one !~* $1
order by role nulls first, name
