-- Sets the password of authenticator, which no migration may contain.
\getenv password AUTHENTICATOR_PASSWORD

alter role authenticator password :'password';
