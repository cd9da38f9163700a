-- The owner of a view ($1), and what is behind it: the tables with policies, past which it reads with that
-- one's rights or not, and views that read with the caller's.
with recursive behind (oid, owner, invoker) as (
  select class.oid, class.relowner, false
  from pg_catalog.pg_class as class
  where class.oid = $1::regclass
  union
  select
    read.oid,
    case when read.relkind = 'v' then read.relowner else behind.owner end,
    read.relkind = 'v'
    and coalesce(
      (
        select option_value::boolean
        from pg_catalog.pg_options_to_table(read.reloptions)
        where option_name = 'security_invoker'
      ),
      false
    )
  from behind
  join pg_catalog.pg_rewrite on ev_class = behind.oid
  join pg_catalog.pg_depend
    on classid = 'pg_rewrite'::regclass
    and objid = pg_rewrite.oid
    and refclassid = 'pg_class'::regclass
  join pg_catalog.pg_class as read on read.oid = refobjid
  where read.relkind in ('r', 'p', 'v')
  and not behind.invoker
)
select distinct
  pg_roles.rolname as owner,
  format('%s.%s', nspname, relname) as "table",
  not invoker
  and (
    rolsuper
    or rolbypassrls
    or (pg_has_role(behind.owner, relowner, 'usage') and not relforcerowsecurity)
  ) as past
from behind
join pg_catalog.pg_class on pg_class.oid = behind.oid
join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
join pg_catalog.pg_roles on pg_roles.oid = behind.owner
where (relkind in ('r', 'p') and relrowsecurity)
or invoker
order by 2
