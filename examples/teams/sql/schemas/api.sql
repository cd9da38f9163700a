create schema api;

comment on schema api is
  'Rowhouse: row-level security decides which rows each user reaches.';

grant usage on schema api to authenticated;
