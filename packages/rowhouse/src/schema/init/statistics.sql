select pg_get_statisticsobjdef(oid) as sql
from pg_catalog.pg_statistic_ext
where not exists (select from pg_catalog.pg_depend where objid = pg_statistic_ext.oid and deptype = 'e')
and stxnamespace::regnamespace::text <> all ($1::text[])
order by stxnamespace::regnamespace::text, stxname
