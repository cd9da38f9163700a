-- The views of the exposed schemas ($1) through which the anonymous role ($2) may write with the rights
-- of the view's owner, whom the policies of a table behind it do not hold. One that asks about the caller holds what it shows; what is inserted, with a
-- check option alone.
with verb (name, event, is_held_by_where) as (
  values ('delete', 16, true), ('insert', 8, false), ('update', 4, true)
),
view as (
  select
    class.oid,
    class.relnamespace as namespace,
    exists (
      select
      from pg_catalog.pg_options_to_table(class.reloptions)
      where option_name = 'check_option'
    ) as is_checked,
    exists (
      select
      from pg_catalog.pg_rewrite as rewrite
      join pg_catalog.pg_depend as reference
        on reference.classid = 'pg_catalog.pg_rewrite'::regclass
        and reference.objid = rewrite.oid
        and reference.refclassid = 'pg_catalog.pg_proc'::regclass
      where rewrite.ev_class = class.oid
    )
    or pg_get_viewdef(class.oid) ~* '\m(current_setting|current_user|session_user|current_role)\M' as asks
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
  array_agg(verb.name order by verb.name) as verbs
from view
cross join verb
where has_schema_privilege($2::text, view.namespace, 'usage')
and case verb.name
  when 'delete' then has_table_privilege($2::text, view.oid, 'delete')
  else has_any_column_privilege($2::text, view.oid, verb.name)
end
and pg_relation_is_updatable(view.oid, false) & verb.event <> 0
and not (view.asks and (verb.is_held_by_where or view.is_checked))
group by view.oid
order by view.oid::regclass::text
