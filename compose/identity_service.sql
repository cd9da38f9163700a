-- Sets the password of identity_service, which no migration may contain. A project without sign-in has
-- no such role.
\getenv password IDENTITY_PASSWORD

alter role identity_service password :'password';
