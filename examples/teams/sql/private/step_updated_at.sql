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
