create schema api;

comment on schema api is
  'Rowhouse: a task list. Users own tasks, and nobody reaches another''s.';

grant usage on schema api to authenticated;
