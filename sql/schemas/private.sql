create schema private;

comment on schema private is
  'The inner workings: trigger functions. No API role can name anything in it.';
