-- The role of a request with a valid token. It may exist already, as every role may.
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'authenticated') then
    create role authenticated nologin noinherit;
  end if;

  if not exists (
    select from pg_catalog.pg_roles
    where rolname = 'authenticated'
    and 'statement_timeout=5s' = any (rolconfig)
  ) then
    alter role authenticated set statement_timeout = '5s';
  end if;
end
$$;
