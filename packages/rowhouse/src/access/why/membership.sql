-- The tables that say who shares the rows of $1: read by one of its policies $2, or by a function that one
-- calls, and keyed by a group and a user, who is in the table $3. The group is a row of $1, or what one
-- belongs to.
with read_by_policies (id) as (
  select distinct coalesce(by_function.refobjid, by_policy.refobjid)
  from pg_policy
  join pg_depend as by_policy
    on by_policy.classid = 'pg_policy'::regclass
    and by_policy.objid = pg_policy.oid
  left join pg_depend as by_function
    on by_policy.refclassid = 'pg_proc'::regclass
    and by_function.classid = 'pg_proc'::regclass
    and by_function.objid = by_policy.refobjid
    and by_function.refclassid = 'pg_class'::regclass
  where polrelid = $1::regclass
  and polname = any ($2::text[])
  and 'pg_class'::regclass in (by_policy.refclassid, by_function.refclassid)
),
keys (relation, kind, columns, target, target_columns) as (
  select conrelid, contype, conkey, confrelid, confkey
  from pg_constraint
  where contype in ('p', 'f')
)
select distinct
  members.id::regclass::text as name,
  group_column.attname as "groupColumn",
  user_column.attname as "userColumn",
  own_column.attname as "ownColumn"
from read_by_policies as members
join keys as primary_key
  on primary_key.relation = members.id
  and primary_key.kind = 'p'
  and cardinality(primary_key.columns) = 2
join keys as to_group
  on to_group.relation = members.id
  and to_group.kind = 'f'
  and cardinality(to_group.columns) = 1
  and to_group.columns <@ primary_key.columns
  and to_group.target <> to_regclass($3)
join pg_attribute as group_column
  on group_column.attrelid = members.id
  and group_column.attnum = to_group.columns[1]
join pg_attribute as user_column
  on user_column.attrelid = members.id
  and user_column.attnum = any (primary_key.columns)
  and user_column.attnum <> group_column.attnum
join keys as to_user
  on to_user.relation = members.id
  and to_user.kind = 'f'
  and to_user.columns = array[user_column.attnum]
  and to_user.target = to_regclass($3)
join pg_attribute as own_column
  on own_column.attrelid = $1::regclass
  and (
    (own_column.attrelid = to_group.target and own_column.attnum = to_group.target_columns[1])
    or exists (
      select
      from keys as own
      where own.relation = own_column.attrelid
      and own.kind = 'f'
      and own.columns = array[own_column.attnum]
      and own.target = to_group.target
      and own.target_columns = to_group.target_columns
    )
  )
where (to_group.target <> $1::regclass or own_column.attnum = to_group.target_columns[1])
and has_table_privilege(members.id, 'select')
and not row_security_active(members.id)
order by 1, 2
