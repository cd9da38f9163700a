-- Values must turn into the same text on every server, and row-level security must hide none.
set timezone = 'UTC';
set datestyle = 'ISO, YMD';
set intervalstyle = 'postgres';
set extra_float_digits = 1;
set bytea_output = 'hex';
set row_security = off;
set statement_timeout = 0;
