-- Gives authenticator its password, which no migration may hold.
\getenv password AUTHENTICATOR_PASSWORD

alter role authenticator password :'password';
