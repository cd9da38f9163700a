-- Who owns what, where it is not the role that owns most: that one runs the migrations, and differs
-- from server to server. Row-level security does not hold for an owner unless it is forced.
with owned (class, oid, owner) as (
  select 'pg_namespace'::regclass, oid, nspowner
  from pg_catalog.pg_namespace
  union all
  select 'pg_class'::regclass, oid, relowner
  from pg_catalog.pg_class
  where relkind in ('r', 'p', 'f', 'v', 'm')
  union all
  select 'pg_proc'::regclass, oid, proowner
  from pg_catalog.pg_proc
),
made as (
  select *
  from owned
  where oid >= 16384
  and not exists (
    select
    from pg_catalog.pg_depend as member
    where member.classid = owned.class
    and member.objid = owned.oid
    and (
      member.deptype = 'e'
      -- The functions that make values of a range type are PostgreSQL's own: until 16 they belong to the
      -- first superuser.
      or (member.deptype = 'i' and member.refclassid = 'pg_type'::regclass and owned.class = 'pg_proc'::regclass)
    )
  )
  and not exists (select from platform where platform.oid = owned.oid)
),
most (owner) as (
  select owner
  from made
  group by owner
  order by count(*) desc, owner
  limit 1
)
select
  made.oid,
  'owner' as kind,
  format('%s %s', identified.type, object.name) as name,
  jsonb_build_object(
    'on', identified.type,
    'object', object.name,
    'owner', made.owner::regrole::text
  ) as facts
from made
cross join most
cross join pg_identify_object(made.class, made.oid, 0) as identified
cross join lateral (
  select case made.class when 'pg_proc'::regclass then made.oid::regprocedure::text else identified.identity end
) as object (name)
where made.owner <> most.owner
