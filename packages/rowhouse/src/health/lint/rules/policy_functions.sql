-- level: error
-- why: A policy calls its functions with the caller's rights: without EXECUTE on one of them, the
--   requests that the policy holds fail with 42501, also those that another policy lets through.
-- do: grant execute on function ... to ...; or let the policy be to other roles than to PUBLIC.
-- cost: None, but for requests that fail.
select
  function.oid::regprocedure::text as object,
  format(
    '%s may not execute the function, and policies of %s call it',
    role.oid::regrole,
    string_agg(distinct class.oid::regclass::text, ', ')
  ) as finding,
  array_agg(
    distinct format('execute %s %s %s', function.proname, pg_get_userbyid(role.oid), replace(class.oid::regclass::text, '"', ''))
  ) as causes
from pg_catalog.pg_policy as policy
join pg_catalog.pg_class as class on class.oid = policy.polrelid
join pg_catalog.pg_depend as reference
  on reference.classid = 'pg_policy'::regclass
  and reference.objid = policy.oid
  and reference.refclassid = 'pg_proc'::regclass
join pg_catalog.pg_proc as function on function.oid = reference.refobjid
cross join unnest(:roles::oid[]) as role (oid)
where class.relnamespace = any (:schemas::oid[])
and class.relrowsecurity
and exists (
  select
  from unnest(policy.polroles) as named (oid)
  where named.oid = 0
  or pg_has_role(role.oid, named.oid, 'usage')
)
and not has_function_privilege(role.oid, function.oid, 'execute')
-- Without the grant on the table, it is refused before.
and has_schema_privilege(role.oid, class.relnamespace, 'usage')
and (
  policy.polcmd in ('r', '*') and has_any_column_privilege(role.oid, class.oid, 'select')
  or policy.polcmd in ('a', '*') and has_any_column_privilege(role.oid, class.oid, 'insert')
  or policy.polcmd in ('w', '*') and has_any_column_privilege(role.oid, class.oid, 'update')
  or policy.polcmd in ('d', '*') and has_table_privilege(role.oid, class.oid, 'delete')
)
group by function.oid, role.oid
