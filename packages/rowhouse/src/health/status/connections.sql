-- Whose connections the server has, and what they do. A request's id is left out. Of what a role may
-- not see, only who it is and the database are shown: processes of the server have neither. $1 are the
-- roles that PostgREST can log in as.
select
  case
    when backend_type is null then 'of other roles'
    when application_name like 'rowhouse %' and usename = any ($1::text[]) then 'PostgREST'
    when application_name like 'PostgREST%' then 'PostgREST'
    when application_name = '' then 'unnamed'
    else application_name
  end as application,
  coalesce(state, 'hidden') as state,
  count(*)::int as count
from pg_catalog.pg_stat_activity
where (backend_type = 'client backend' or backend_type is null and datid is not null and usesysid is not null)
and pid <> pg_backend_pid()
group by 1, 2
order by 1, 2
