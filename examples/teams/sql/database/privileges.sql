-- Revokes what PostgreSQL grants to PUBLIC by default. The default privilege is global on purpose:
-- a revoke "in schema" cannot take away what the global default grants.
alter default privileges revoke execute on functions from public;

do $$
begin
  execute format('revoke temporary on database %I from public', current_database());
end
$$;
