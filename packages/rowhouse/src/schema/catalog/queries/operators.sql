-- Operators, casts and what indexes use of them. PostgreSQL makes the casts of range types itself.
select
  oid,
  'operator' as kind,
  oid::regoperator::text as name,
  concat_ws(
    ' ',
    'function ' || oprcode::oid::regprocedure,
    'commutator ' || nullif(oprcom, 0)::regoperator,
    'negator ' || nullif(oprnegate, 0)::regoperator,
    'restrict ' || nullif(oprrest::oid, 0)::regproc,
    'join ' || nullif(oprjoin::oid, 0)::regproc,
    case when oprcanhash then 'hashes' end,
    case when oprcanmerge then 'merges' end
  ) as definition
from pg_catalog.pg_operator
where oid >= 16384
union all
select
  oid,
  'cast',
  format('%s as %s', format_type(castsource, null), format_type(casttarget, null)),
  concat_ws(
    ' ',
    case castmethod when 'f' then 'function ' || castfunc::regprocedure when 'i' then 'inout' else 'without function' end,
    case castcontext when 'i' then 'implicit' when 'a' then 'assignment' end
  )
from pg_catalog.pg_cast
where oid >= 16384
and not exists (
  select
  from pg_catalog.pg_depend
  where classid = 'pg_cast'::regclass
  and objid = pg_cast.oid
  and deptype = 'i'
)
union all
select
  opclass.oid,
  'operator class',
  format('%s.%I using %I', opcnamespace::regnamespace, opcname, amname),
  concat_ws(
    ' ',
    'for ' || format_type(opcintype, null),
    format('family %s.%I', opfnamespace::regnamespace, opfname),
    case when opcdefault then 'default' end,
    'storage ' || format_type(nullif(opckeytype, 0), null)
  )
from pg_catalog.pg_opclass as opclass
join pg_catalog.pg_am on pg_am.oid = opcmethod
join pg_catalog.pg_opfamily on pg_opfamily.oid = opcfamily
where opclass.oid >= 16384
union all
select
  family.oid,
  'operator family',
  format('%s.%I using %I', opfnamespace::regnamespace, opfname, amname),
  concat_ws(
    ', ',
    (
      select string_agg(
        concat_ws(' ', 'operator', amopstrategy, amopopr::regoperator, 'ordered by ' || sort.opfnamespace::regnamespace || '.' || quote_ident(sort.opfname)),
        ', '
        order by amopstrategy, amopopr::regoperator::text
      )
      from pg_catalog.pg_amop
      left join pg_catalog.pg_opfamily as sort on sort.oid = amopsortfamily
      where amopfamily = family.oid
    ),
    (
      select string_agg(
        format('function %s (%s, %s) %s', amprocnum, format_type(amproclefttype, null), format_type(amprocrighttype, null), amproc::oid::regprocedure),
        ', '
        order by amprocnum, amproc::oid::regprocedure::text
      )
      from pg_catalog.pg_amproc
      where amprocfamily = family.oid
    )
  )
from pg_catalog.pg_opfamily as family
join pg_catalog.pg_am on pg_am.oid = opfmethod
where family.oid >= 16384
