create function request.user_id()
returns uuid
language sql
stable
parallel safe
as $$
  -- No SET clause and not security definer, so that PostgreSQL can inline it into policies.
  select nullif(request.claims() ->> 'sub', '')::uuid
$$;

comment on function request.user_id() is
  'The id of the caller: the sub claim of the JWT; null for anonymous.';

grant execute on function request.user_id() to anonymous, authenticated;
