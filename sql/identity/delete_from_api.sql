create function identity.delete_from_api()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  delete from api.users
  where id = old.id;

  return null;
end
$$;

comment on function identity.delete_from_api() is
  'After the deletion of an account: deletes the user''s row in api.users and, by its foreign keys, all rows of the user, in the same transaction.';
