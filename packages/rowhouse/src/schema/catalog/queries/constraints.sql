-- A constraint whose triggers are disabled is one in name only.
-- Not-null constraints (contype n) are in the catalog from PostgreSQL 18 on; columns.sql reads them.
select
  oid,
  'constraint' as kind,
  format('%I on %s', conname, case when conrelid <> 0 then conrelid::regclass::text else contypid::regtype::text end) as name,
  pg_get_constraintdef(oid) || case
    when exists (
      select
      from pg_catalog.pg_trigger
      where tgconstraint = con.oid
      and tgisinternal
      and tgenabled <> 'O'
    ) then ' triggers disabled'
    else ''
  end as definition
from pg_catalog.pg_constraint as con
where contype in ('c', 'f', 'p', 'u', 'x')
-- One key for each partition that a foreign key leads to: PostgreSQL makes and names them, each version otherwise.
and not exists (
  select
  from pg_catalog.pg_constraint as above
  where above.oid = con.conparentid
  and above.conrelid = con.conrelid
)
