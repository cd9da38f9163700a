create function request.user_id()
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

comment on function request.user_id() is
  'The id of the caller: the sub claim of the JWT; null for anonymous.';

grant execute on function request.user_id() to anonymous, authenticated;
