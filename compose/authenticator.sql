-- Gives authenticator its password, which no migration may hold.
\getenv password AUTHENTICATOR_PASSWORD

-- A statement that fails or is slow is logged with its text, and this text holds a secret.
set log_statement = 'none';
set log_min_duration_statement = -1;
set log_min_error_statement = 'panic';

alter role authenticator password :'password';
