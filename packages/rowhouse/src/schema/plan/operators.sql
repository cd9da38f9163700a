-- The operators and casts that people made, and the statement that makes each. The search path is
-- empty, so that every name has its schema. What a type or an extension brings along goes with it.
with operator as (
  select
    oid,
    oprcode,
    format('operator(%s.%s)', oprnamespace::regnamespace, oprname) as quoted,
    format('%s.%s', oprnamespace::regnamespace, oprname) as path,
    oprleft,
    oprright,
    oprcom,
    oprnegate,
    oprrest,
    oprjoin,
    oprcanhash,
    oprcanmerge
  from pg_catalog.pg_operator
)
select
  'operator ' || one.oid::regoperator as object,
  one.oprcode::oid::regprocedure::text as function,
  format(
    E'create operator %s (\n  %s\n)',
    one.path,
    concat_ws(
      E',\n  ',
      'function = ' || one.oprcode,
      'leftarg = ' || format_type(nullif(one.oprleft, 0), null),
      'rightarg = ' || format_type(one.oprright, null),
      'commutator = ' || commutator.quoted,
      'negator = ' || negator.quoted,
      'restrict = ' || nullif(one.oprrest::oid, 0)::regproc,
      'join = ' || nullif(one.oprjoin::oid, 0)::regproc,
      case when one.oprcanhash then 'hashes' end,
      case when one.oprcanmerge then 'merges' end
    )
  ) as statement,
  obj_description(one.oid, 'pg_operator') as comment
from operator as one
left join operator as commutator on commutator.oid = one.oprcom
left join operator as negator on negator.oid = one.oprnegate
where one.oid >= 16384
-- The name alone, as another one's commutator or negator, is made by that one.
and one.oprcode::oid <> 0
and not exists (
  select
  from pg_catalog.pg_depend
  where classid = 'pg_operator'::regclass
  and objid = one.oid
  and deptype = 'e'
)
union all
select
  cast_name.object,
  case when castfunc <> 0 then castfunc::regprocedure::text end,
  concat_ws(
    E'\n',
    'create ' || cast_name.object,
    case castmethod when 'f' then 'with function ' || castfunc::regprocedure when 'i' then 'with inout' else 'without function' end,
    case castcontext when 'i' then 'as implicit' when 'a' then 'as assignment' end
  ),
  obj_description(oid, 'pg_cast')
from pg_catalog.pg_cast
cross join lateral (
  select format('cast (%s as %s)', format_type(castsource, null), format_type(casttarget, null)) as object
) as cast_name
where oid >= 16384
and not exists (
  select
  from pg_catalog.pg_depend
  where classid = 'pg_cast'::regclass
  and objid = pg_cast.oid
  and deptype in ('e', 'i')
)
order by 1
