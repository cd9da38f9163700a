create schema identity;

comment on schema identity is
  'Accounts of people, their sessions and the keys that sign tokens. Only the sign-in service reaches it: no API role has usage on this schema.';

grant usage on schema identity to identity_service;

-- It keeps the rows of api.users in step with its accounts, whose triggers look at the request.
grant usage on schema api to identity_service;
grant usage on schema request to identity_service;
grant execute on function request.header(text) to identity_service;
grant execute on function request.is_blank(text) to identity_service;
