-- level: error
-- scope: convention
-- why: Keys are checked past row-level security. One without user_id tells one user what another
--   has ("taken"), or lets one point at another's row.
-- do: Put user_id first into the key, as in primary key (user_id, id). In a membership table,
--   primary key (group, user_id), let each policy for insert and update ask a security definer
--   function about the group.
-- cost: Each table with a key of one column; it is counted only.
with owned as (
  select owner.relation, owner.user_id, attribute.attname as name
  from unnest(:owned_tables::oid[], :owner_columns::int2[]) as owner (relation, user_id)
  join pg_catalog.pg_attribute as attribute
    on attribute.attrelid = owner.relation
    and attribute.attnum = owner.user_id
),
-- The policies are asked before a foreign key is checked. Where they ask about the group, a user
-- learns nothing of the groups of others, and points at none.
membership as (
  select owned.relation, fkey.oid as fkey
  from owned
  join pg_catalog.pg_constraint as fkey on fkey.conrelid = owned.relation
  join pg_catalog.pg_constraint as pkey on pkey.conrelid = owned.relation
  join pg_catalog.pg_constraint as target on target.conrelid = fkey.confrelid
  where fkey.contype = 'f'
  and pkey.contype = 'p'
  and pkey.conkey <@ (fkey.conkey || owned.user_id)
  and pkey.conkey @> (fkey.conkey || owned.user_id)
  and target.contype = 'p'
  and target.conkey <@ fkey.confkey
  and fkey.confrelid not in (select relation from owned)
  and not exists (
    select
    from pg_catalog.pg_policy as policy
    where policy.polrelid = owned.relation
    and policy.polpermissive
    and policy.polcmd in ('a', 'w', '*')
    and not exists (
      select
      from pg_catalog.pg_depend as reference
      join pg_catalog.pg_proc as function on function.oid = reference.refobjid
      where reference.classid = 'pg_policy'::regclass
      and reference.objid = policy.oid
      and reference.refclassid = 'pg_proc'::regclass
      and function.prosecdef
    )
  )
)
select
  owned.relation::regclass::text as object,
  'it has no primary key' as finding
from owned
where not exists (
  select
  from pg_catalog.pg_constraint as pkey
  where pkey.conrelid = owned.relation
  and pkey.contype = 'p'
)
union all
select
  owned.relation::regclass::text,
  format('the foreign key %I lacks %I', fkey.conname, owned.name)
from owned
join pg_catalog.pg_constraint as fkey on fkey.conrelid = owned.relation
where fkey.contype = 'f'
and owned.user_id <> all (fkey.conkey)
and fkey.oid not in (select membership.fkey from membership)
union all
-- Into an owned table the owners have to match: paired with another column, user_id proves nothing.
select
  owned.relation::regclass::text,
  format('the foreign key %I pairs %I with another column', fkey.conname, owned.name)
from owned
join pg_catalog.pg_constraint as fkey on fkey.conrelid = owned.relation
join owned as target on target.relation = fkey.confrelid
where fkey.contype = 'f'
and fkey.confkey[array_position(fkey.conkey, owned.user_id)] <> target.user_id
union all
-- Primary keys, unique and exclusion constraints all have an index; columns that it has
-- by INCLUDE stand last, and are no part of the key.
select
  owned.relation::regclass::text,
  format('the key %I lacks %I', class.relname, owned.name)
from owned
join pg_catalog.pg_index as index on index.indrelid = owned.relation
join pg_catalog.pg_class as class on class.oid = index.indexrelid
where (index.indisunique or index.indisexclusion)
and owned.user_id <> all ((index.indkey::int2[])[0:index.indnkeyatts - 1])
