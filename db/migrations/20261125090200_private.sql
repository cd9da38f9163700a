-- migrate:up

create function private.check_if_match()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
  wanted text := trim(both '"' from request.header('if-match'));
begin
  -- PostgreSQL also reads words as times ("today"), and some versions know more of them.
  if wanted <> '*' and wanted !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}' then
    raise invalid_datetime_format;
  end if;

  if wanted <> '*' and wanted::timestamptz <> old.updated_at then
    raise sqlstate 'PT412' using
      message = 'The row has changed since it was read.',
      detail = 'row_stale',
      hint = 'Read it again, and send its updated_at as If-Match.';
  end if;

  return case when tg_op = 'DELETE' then old else new end;
exception
  when data_exception then
    raise sqlstate 'PT400' using
      message = 'If-Match is not a timestamp.',
      detail = 'if_match_invalid',
      hint = 'Send the updated_at of the row, as it was read.';
end
$$;

comment on function private.check_if_match() is
  'Before an update or delete: raises 412 when If-Match is not the row''s updated_at.';

create function private.step_updated_at()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  -- Strictly forward, even when the clock stands still or goes back: it is the row's version.
  new.updated_at := greatest(clock_timestamp(), old.updated_at + interval '1 microsecond');
  return new;
end
$$;

comment on function private.step_updated_at() is
  'Before an update: moves updated_at strictly forward.';

create function private.limit_affected_rows()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
  affected bigint;
  allowed bigint := coalesce(
    substring(request.header('prefer') from 'max-affected=([0-9]{1,9})')::bigint,
    100
  );
begin
  -- A POST or PUT names its rows one by one; only a filter can match more than intended.
  if coalesce(current_setting('request.method', true), '') not in ('PATCH', 'DELETE') then
    return null;
  end if;

  select count(*) into affected from old_rows;

  if affected > allowed then
    raise sqlstate 'PT400' using
      message = format('The filter matches %s rows; one request may change %s.', affected, allowed),
      detail = 'too_many_rows',
      hint = 'Narrow the filter, or allow it with the header "Prefer: max-affected=<n>".';
  end if;

  return null;
end
$$;

comment on function private.limit_affected_rows() is
  'After a PATCH or DELETE: raises 400, which rolls it back, when it affects more than 100 rows, or more than Prefer: max-affected allows.';

notify pgrst, 'reload schema';

-- migrate:down

drop function private.limit_affected_rows();
drop function private.step_updated_at();
drop function private.check_if_match();

notify pgrst, 'reload schema';
