create function request.plannable()
returns boolean
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
  -- Comments may stand before the word. request.method is set in requests alone: EXPLAIN stays free
  -- for whoever connects to the database.
  if pg_catalog.current_query() ~* '^(\s|--[^\n]*\n|/\*.*?\*/)*explain\M'
    and coalesce(pg_catalog.current_setting('request.method', true), '') <> ''
  then
    raise sqlstate 'PT400' using
      message = 'Planned and estimated counts are refused: they would count the rows of all users.',
      detail = 'planned_count_refused',
      hint = 'Ask for Prefer: count=exact.';
  end if;

  return true;
end
$$;

comment on function request.plannable() is
  'True, and an error with 400 where a request asks for a plan (Prefer: count=planned or count=estimated). Immutable, although its answer depends on the statement, so that PostgreSQL calls it while it plans, which is when it explains, and never for a row.';

grant execute on function request.plannable() to anonymous, authenticated;
