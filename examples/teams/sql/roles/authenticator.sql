-- The login role of PostgREST. It owns nothing and inherits nothing: for each request it becomes
-- anonymous or authenticated, and it is a member of those two alone.
-- No migration holds its password: `rowhouse start`, compose or the deploy sets it.
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'authenticator') then
    create role authenticator login noinherit;
  end if;

  if not pg_catalog.pg_has_role('authenticator', 'anonymous', 'member') then
    grant anonymous to authenticator;
  end if;

  if not pg_catalog.pg_has_role('authenticator', 'authenticated', 'member') then
    grant authenticated to authenticator;
  end if;
end
$$;
