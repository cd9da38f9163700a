-- level: warning
-- scope: convention
-- why: Unless row-level security is forced, the owner of the table is past it, and so is every
--   security definer function of theirs. A membership table is not forced: such a function reads it
--   as its owner (docs/adr/0007).
-- do: alter table ... force row level security;
-- cost: Each table; it is counted only.
select
  class.oid::regclass::text as object,
  'its row-level security is not forced' as finding
from pg_catalog.pg_class as class
where class.relnamespace = any (:schemas::oid[])
and class.relkind in ('r', 'p')
and class.relrowsecurity
and not class.relforcerowsecurity
-- What such a function may be is the rule security_definer's.
and not exists (
  select
  from pg_catalog.pg_depend as reference
  join pg_catalog.pg_proc as function on function.oid = reference.objid
  where reference.classid = 'pg_proc'::regclass
  and reference.refclassid = 'pg_class'::regclass
  and reference.refobjid = class.oid
  and function.prosecdef
  and function.proowner = class.relowner
  and function.pronamespace = any (:helpers::oid[])
)
