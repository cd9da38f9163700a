-- The role that runs the migrations: the one that most in the exposed schemas ($1) belongs to, else the owner of
-- the first of them that there is. The schema public can belong to the owner of the database, whoever that is.
with exposed (oid, owner, position) as (
  select
    namespace.oid,
    case namespace.nspowner
      when to_regrole('pg_database_owner') then database.datdba
      else namespace.nspowner
    end,
    given.position
  from unnest($1::text[]) with ordinality as given (name, position)
  join pg_catalog.pg_namespace as namespace on namespace.nspname = given.name
  join pg_catalog.pg_database as database on database.datname = current_database()
),
owned (class, oid, owner) as (
  select 'pg_class'::regclass, pg_class.oid, relowner
  from pg_catalog.pg_class
  join exposed on exposed.oid = relnamespace
  where relkind in ('r', 'p', 'f', 'v', 'm')
  union all
  select 'pg_proc'::regclass, pg_proc.oid, proowner
  from pg_catalog.pg_proc
  join exposed on exposed.oid = pronamespace
)
select coalesce(
  (
    select pg_get_userbyid(owned.owner)
    from owned
    where not exists (
      select
      from pg_catalog.pg_depend as member
      where member.classid = owned.class
      and member.objid = owned.oid
      and (
        member.deptype = 'e'
        -- Of a range type: see catalog/queries/owners.sql.
        or (member.deptype = 'i' and member.refclassid = 'pg_type'::regclass and owned.class = 'pg_proc'::regclass)
      )
    )
    group by owned.owner
    order by count(*) desc, owned.owner <> all (select owner from exposed), owned.owner
    limit 1
  ),
  (
    select pg_get_userbyid(owner)
    from exposed
    order by position
    limit 1
  ),
  current_user
) as name
