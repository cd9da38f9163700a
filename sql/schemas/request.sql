create schema request;

comment on schema request is
  'Who is asking, and what every request may use: its claims and headers, the making of ids.';

grant usage on schema request to anonymous, authenticated;
