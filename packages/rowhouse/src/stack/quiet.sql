-- Slow or refused, a statement that sets a password would be logged with it: not in this session.
-- Only a superuser may say so.
select set_config(name, value, false)
from (
  values
    ('log_statement', 'none'),
    ('log_min_duration_statement', '-1'),
    ('log_min_error_statement', 'panic')
) as quiet (name, value)
where exists (
  select
  from pg_catalog.pg_roles
  where rolname = current_user
  and rolsuper
)
