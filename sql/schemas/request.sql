create schema request;

comment on schema request is
  'Who is asking: reads the claims and headers of the current request.';

grant usage on schema request to anonymous, authenticated;
