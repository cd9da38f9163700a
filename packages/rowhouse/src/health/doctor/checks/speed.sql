-- Whether the role $1 keeps the plans of its statements: by its own setting or, without one, the server's.
select coalesce(
  (
    select option_value
    from pg_catalog.pg_db_role_setting
    cross join pg_catalog.pg_options_to_table(setconfig)
    where option_name = 'plan_cache_mode'
    and setrole in (0, (select oid from pg_catalog.pg_roles where rolname = $1))
    and setdatabase in (0, (select oid from pg_catalog.pg_database where datname = current_database()))
    order by setrole = 0, setdatabase = 0
    limit 1
  ),
  (
    -- What only this session has is not the role's.
    select setting
    from pg_catalog.pg_settings
    where name = 'plan_cache_mode'
    and source not in ('user', 'database user', 'client', 'session')
  )
) = 'force_generic_plan' as once
