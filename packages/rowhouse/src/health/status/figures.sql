-- What a DBA looks at first, of this database and of its server. $1 are the roles that PostgREST can log
-- in as.
select
  current_setting('server_version') as version,
  extract(epoch from clock_timestamp() - pg_catalog.pg_postmaster_start_time())::float8 as up_seconds,
  pg_catalog.pg_database_size(current_database())::float8 as bytes,
  (
    select blks_hit::float8 / nullif(blks_hit + blks_read, 0)
    from pg_catalog.pg_stat_database
    where datname = current_database()
  ) as cache_hit_rate,
  current_setting('max_connections')::int as max_connections,
  activity.oldest_transaction_seconds,
  activity.hidden,
  activity.pool_open,
  activity.pool_busy
from (
  select
    max(extract(epoch from clock_timestamp() - xact_start))
      filter (where pid <> pg_backend_pid())::float8 as oldest_transaction_seconds,
    -- Of the connections of other roles, not every role sees what they do.
    bool_or(backend_type is null and datid is not null and usesysid is not null) as hidden,
    -- One connection of PostgREST's waits for notifications, beside its pool.
    (count(*) filter (
      where usename = any ($1::text[]) and datname = current_database() and query !~* '^listen'
    ))::int as pool_open,
    (count(*) filter (
      where usename = any ($1::text[]) and datname = current_database() and query !~* '^listen'
      and state <> 'idle'
    ))::int as pool_busy
  from pg_catalog.pg_stat_activity
  where backend_type = 'client backend'
  or backend_type is null
) as activity
