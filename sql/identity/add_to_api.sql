create function identity.add_to_api()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  insert into api.users (id, email, name)
  select
    account.id,
    case when account.email_verified then account.email end,
    case when not request.is_blank(account.name) then account.name end
  from identity.users as account
  where account.id = new.user_id
  on conflict (id) do nothing;

  return null;
end
$$;

comment on function identity.add_to_api() is
  'At the first sign-in: makes the user''s row in api.users, as api.me() does for other tokens.';
