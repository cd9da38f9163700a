-- The views of the exposed schemas ($1) through which the anonymous role ($2) may write with the rights
-- of the view's owner, to whom the policies of a table behind it do not apply: with the query of each, whose
-- WHERE may ask about the caller.
with verb (name, event) as (
  values ('delete', 16), ('insert', 8), ('update', 4)
),
view as (
  select
    class.oid,
    class.relnamespace as namespace,
    exists (
      select
      from pg_catalog.pg_options_to_table(class.reloptions)
      where option_name = 'check_option'
    ) as is_checked
  from pg_catalog.pg_class as class
  join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
  join pg_catalog.pg_roles as owner on owner.oid = class.relowner
  where namespace.nspname = any ($1::text[])
  and class.relkind = 'v'
  and not exists (
    select
    from pg_catalog.pg_options_to_table(class.reloptions)
    where option_name = 'security_invoker'
    and option_value::boolean
  )
  and exists (
    select
    from pg_catalog.pg_rewrite as rewrite
    join pg_catalog.pg_depend as reference
      on reference.classid = 'pg_catalog.pg_rewrite'::regclass
      and reference.objid = rewrite.oid
      and reference.refclassid = 'pg_catalog.pg_class'::regclass
      and reference.refobjid <> class.oid
    join pg_catalog.pg_class as base on base.oid = reference.refobjid
    where rewrite.ev_class = class.oid
    and (
      base.relkind not in ('r', 'p')
      or not base.relrowsecurity
      or owner.rolsuper
      or owner.rolbypassrls
      or pg_has_role(owner.oid, base.relowner, 'usage') and not base.relforcerowsecurity
    )
  )
)
select
  view.oid::regclass::text as object,
  pg_get_viewdef(view.oid) as query,
  view.is_checked,
  array_agg(verb.name order by verb.name) as verbs
from view
cross join verb
where has_schema_privilege($2::text, view.namespace, 'usage')
and case verb.name
  when 'delete' then has_table_privilege($2::text, view.oid, 'delete')
  else has_any_column_privilege($2::text, view.oid, verb.name)
end
and pg_relation_is_updatable(view.oid, false) & verb.event <> 0
group by view.oid, view.is_checked
order by view.oid::regclass::text
