-- why: Without row-level security a grant on a table is a grant on all users' rows; unless it is
--   forced, the owner of the table is past it.
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
