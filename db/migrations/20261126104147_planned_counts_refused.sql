-- migrate:up

set local lock_timeout = '3s';

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

create or replace function request.user_id()
returns uuid
language sql
stable
parallel safe
as $$
  -- No SET clause and not security definer, so that PostgreSQL can inline it into policies: there
  -- request.plannable() is called once, when the statement is planned, and leaves nothing behind.
  -- Not by request.claims(): PostgreSQL takes its coalesce for leaky, and searches no index for the
  -- result where a table has a restrictive policy, too.
  -- nullif: once set in a session, a custom setting is '' and not null after the transaction.
  select case
    when request.plannable()
      then nullif(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub', '')::uuid
  end
$$;

comment on function request.plannable() is
  'True, and an error with 400 where a request asks for a plan (Prefer: count=planned or count=estimated). Immutable, although its answer depends on the statement, so that PostgreSQL calls it while it plans, which is when it explains, and never for a row.';

alter table api.tasks
  alter column user_id set statistics -1,
  alter column id set statistics -1,
  alter column title set statistics -1,
  alter column description set statistics -1,
  alter column completed set statistics -1,
  alter column created_at set statistics -1,
  alter column updated_at set statistics -1;

-- Not left to autovacuum, which comes when a tenth of the rows has changed.
analyze api.tasks;

grant execute on function request.plannable() to anonymous;

grant execute on function request.plannable() to authenticated;

notify pgrst, 'reload schema';

-- migrate:down

set local lock_timeout = '3s';

drop function request.plannable();

create or replace function request.user_id()
returns uuid
language sql
stable
parallel safe
as $$
  -- No SET clause and not security definer, so that PostgreSQL can inline it into policies.
  select nullif(request.claims() ->> 'sub', '')::uuid
$$;

alter table api.tasks
  alter column user_id set statistics 0,
  alter column id set statistics 0,
  alter column title set statistics 0,
  alter column description set statistics 0,
  alter column completed set statistics 0,
  alter column created_at set statistics 0,
  alter column updated_at set statistics 0;

notify pgrst, 'reload schema';
