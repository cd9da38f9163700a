-- Whose connections the server has, and what they do. A request's id is left out.
select
  case
    when application_name like 'rowhouse %' and usename = 'authenticator' then 'PostgREST'
    when application_name like 'PostgREST%' then 'PostgREST'
    when application_name = '' then 'unnamed'
    else application_name
  end as application,
  coalesce(state, 'hidden') as state,
  count(*)::int as count
from pg_catalog.pg_stat_activity
where backend_type = 'client backend'
and pid <> pg_backend_pid()
group by 1, 2
order by 1, 2
