-- Makes the owner of the database, whom migrations run as: no superuser, but for what Neon's owner has, too.
\getenv password OWNER_PASSWORD

select 'create role owner'
where not exists (select from pg_catalog.pg_roles where rolname = 'owner')
\gexec

alter role owner
  login
  createrole
  bypassrls
  password :'password';

-- The service `authenticator` sets passwords, which must not reach the server's log.
grant set on parameter log_statement, log_min_duration_statement, log_min_error_statement to owner;

select format('alter database %I owner to owner', current_database())
\gexec
