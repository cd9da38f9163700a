create function private.keep_owner_of_lists()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
  former_group uuid;
  former_groups uuid[] := array(
    select distinct group_id
    from old_rows
    where role = 'owner'
    order by group_id
  );
begin
  -- Each lock below takes a place in a table that all connections share.
  if cardinality(former_groups) > 100 and current_setting('request.method', true) <> '' then
    raise sqlstate 'PT400' using
      message = format('One request may change the owners of 100 groups, and not of %s.', cardinality(former_groups)),
      detail = 'too_many_rows',
      hint = 'Narrow the filter.';
  end if;

  foreach former_group in array former_groups
  loop
    -- One at a time: else two owners could leave at once, each relying on the other. No lock of the
    -- row of api.lists would do: whoever deletes that row holds it, and waits for its members.
    perform pg_advisory_xact_lock(hashtextextended(former_group::text, 0));

    -- Who has left sees the members no more: this names the group to their select_members, for one
    -- statement.
    perform set_config('request.left_lists', former_group::text, true);

    if not exists (
      select
      from api.lists_members
      where group_id = former_group
      and role = 'owner'
    ) then
      raise sqlstate 'PT409' using
        message = 'The last owner has to stay.',
        detail = 'last_owner',
        hint = 'Make another member an owner first, or delete what they share.';
    end if;
  end loop;

  perform set_config('request.left_lists', '', true);

  return null;
end
$$;

comment on function private.keep_owner_of_lists() is
  'After owners left or got another role: raises 409, which rolls it back, when a group has no owner any more.';
