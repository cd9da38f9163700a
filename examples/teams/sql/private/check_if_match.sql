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
