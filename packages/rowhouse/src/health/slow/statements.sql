-- The statements of one database, as pg_stat_statements knows them: without their values.
select
  s.queryid::text as id,
  r.rolname as role,
  s.query as statement,
  s.calls::float8,
  s.rows::float8,
  s.mean_exec_time as "meanMs",
  s.total_exec_time as "totalMs",
  coalesce(s.total_exec_time / nullif(sum(s.total_exec_time) over (), 0), 0) as share
from pg_stat_statements as s
join pg_catalog.pg_database as d on d.oid = s.dbid
left join pg_catalog.pg_roles as r on r.oid = s.userid
where d.datname = $1
-- What a function does inside counts as the function's, else it counted twice.
and s.toplevel
-- Else each look at the list would change it.
and ($4 or r.rolname is distinct from current_user)
order by case $2 when 'mean' then s.mean_exec_time else s.total_exec_time end desc, s.queryid
limit $3
