-- level: error
-- why: A view reads with its owner's rights, past the caller's policies; a materialized
--   view keeps what its owner read.
-- do: create view ... with (security_invoker = true), or leave it out of the exposed schemas.
-- cost: Each view that was made without thinking of it: each is open to those who may read it.
select
  class.oid::regclass::text as object,
  case class.relkind
    when 'v' then 'the view reads with its owner''s rights'
    else 'it is a materialized view'
  end as finding
from pg_catalog.pg_class as class
where class.relnamespace = any (:schemas::oid[])
and (
  class.relkind = 'm'
  or class.relkind = 'v'
  and not exists (
    select
    from pg_catalog.pg_options_to_table(class.reloptions)
    where option_name = 'security_invoker'
    and option_value::boolean
  )
)
