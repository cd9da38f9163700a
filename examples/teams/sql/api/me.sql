create function api.me()
returns api.users
language sql
volatile
set search_path = ''
as $$
  insert into api.users (id, email)
  values (request.user_id(), request.email())
  on conflict (id) do nothing;

  select * from api.users where id = request.user_id();
$$;

comment on function api.me() is
  'The caller''s own user row. The first call creates it from the sub and email claims of the token.';

grant execute on function api.me() to authenticated;
