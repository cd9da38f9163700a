-- The role of a request without a token. Roles belong to the server, not to one database, so
-- this one may exist already (on Neon it does): create only what is missing.
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'anonymous') then
    create role anonymous nologin noinherit;
  end if;

  if not exists (
    select from pg_catalog.pg_roles
    where rolname = 'anonymous'
    and 'statement_timeout=5s' = any (rolconfig)
  ) then
    alter role anonymous set statement_timeout = '5s';
  end if;
end
$$;
