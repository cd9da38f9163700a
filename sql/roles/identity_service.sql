-- The login role of the sign-in service. It reaches the schema identity, and of the API's tables
-- the row of a user alone. It is a member of no role, and no role is a member of it.
-- No migration holds its password: `rowhouse start`, compose or the deploy sets it.
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'identity_service') then
    create role identity_service login noinherit;
  end if;

  if not exists (
    select from pg_catalog.pg_roles
    where rolname = 'identity_service'
    and 'statement_timeout=5s' = any (rolconfig)
  ) then
    alter role identity_service set statement_timeout = '5s';
  end if;
end
$$;
