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

  -- PostgREST prepares its statements, and LIMIT is one of their parameters: PostgreSQL would plan
  -- each anew for every request, since it takes a plan for this one limit for a cheaper one.
  if not exists (
    select from pg_catalog.pg_roles
    where rolname = 'authenticator'
    and 'plan_cache_mode=force_generic_plan' = any (rolconfig)
  ) then
    begin
      alter role authenticator set plan_cache_mode = 'force_generic_plan';
    exception
      -- Where another role has made this one, it only costs time.
      when insufficient_privilege then
        raise warning 'plan_cache_mode of authenticator was not set: only who may alter that role can.';
    end;
  end if;
end
$$;
