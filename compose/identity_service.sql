-- Sets the password of identity_service, which no migration may contain. A project without sign-in has
-- no such role.
\getenv password IDENTITY_PASSWORD

select format('alter role identity_service password %L', :'password')
where exists (select from pg_catalog.pg_roles where rolname = 'identity_service')
\gexec
