-- What PostgreSQL gives to everyone unasked, taken back. The default privilege is global on
-- purpose: a revoke "in schema" cannot take away what the global default gives.
alter default privileges revoke execute on functions from public;

do $$
begin
  execute format('revoke temporary on database %I from public', current_database());
end
$$;
