create function identity.update_email_in_api()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  update api.users
  set email = new.email
  where id = new.id
  and email is distinct from new.email;

  return null;
end
$$;

comment on function identity.update_email_in_api() is
  'After a change of an account''s verified address: api.users has the new one, too.';
