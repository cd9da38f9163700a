create schema request;

comment on schema request is
  'The current request: its caller, its claims and headers, and what every table needs from it.';

grant usage on schema request to anonymous, authenticated;
