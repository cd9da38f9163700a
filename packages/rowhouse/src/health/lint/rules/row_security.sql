-- why: Without row-level security a grant on a table is a grant on all users' rows; unless it is
--   forced, the owner of the table is past it. A membership table is not forced: a security definer
--   function reads it as its owner (docs/adr/0007).
-- do: alter table ... enable row level security; alter table ... force row level security;
--   a foreign table belongs into another schema.
select
  class.oid::regclass::text as object,
  case
    when class.relkind = 'f' then 'a foreign table knows no row-level security'
    when not class.relrowsecurity then 'its row-level security is off'
    else 'its row-level security is not forced'
  end as finding
from pg_catalog.pg_class as class
where class.relnamespace = 'api'::regnamespace
and class.relkind in ('r', 'p', 'f')
and not (class.relrowsecurity and class.relforcerowsecurity)
and not (
  class.relrowsecurity
  -- What such a function may be is the rule security_definer's.
  and exists (
    select
    from pg_catalog.pg_depend as reference
    join pg_catalog.pg_proc as function on function.oid = reference.objid
    where reference.classid = 'pg_proc'::regclass
    and reference.refclassid = 'pg_class'::regclass
    and reference.refobjid = class.oid
    and function.prosecdef
    and function.proowner = class.relowner
    and function.pronamespace::regnamespace::text in ('request', 'private')
  )
)
