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
