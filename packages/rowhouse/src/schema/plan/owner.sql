-- The role that runs the migrations: the owner of the first exposed schema ($1) that there is. The schema
-- public can belong to the owner of the database, whoever that is.
select coalesce(
  (
    select
      case namespace.nspowner
        when to_regrole('pg_database_owner') then pg_get_userbyid(database.datdba)
        else pg_get_userbyid(namespace.nspowner)
      end
    from unnest($1::text[]) with ordinality as exposed (name, position)
    join pg_catalog.pg_namespace as namespace on namespace.nspname = exposed.name
    join pg_catalog.pg_database as database on database.datname = current_database()
    order by exposed.position
    limit 1
  ),
  current_user
) as name
