select
  current_setting('data_directory') as "dataDir",
  current_setting('server_version') as version,
  current_setting('archive_mode') as "archiveMode",
  control.system_identifier::text as "systemIdentifier",
  current_database() as database,
  (select count(*)::int from pg_catalog.pg_tablespace where spcname !~ '^pg_') as tablespaces
from pg_catalog.pg_control_system() as control
