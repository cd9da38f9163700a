create schema private;

comment on schema private is
  'Trigger functions. No API role has usage on this schema.';
