-- functions.sql lists them; this is what they do.
select
  aggfnoid::oid as oid,
  'aggregate' as kind,
  aggfnoid::oid::regprocedure::text as name,
  concat_ws(
    ' ',
    case aggkind when 'o' then 'ordered set' when 'h' then 'hypothetical set' end,
    'returns ' || format_type(prorettype, null),
    'direct arguments ' || nullif(aggnumdirectargs, 0),
    format('state %s by %s', aggtranstype::regtype, aggtransfn),
    'space ' || nullif(aggtransspace, 0),
    'final ' || nullif(aggfinalfn::oid, 0)::regproc,
    case when aggfinalextra then 'extra' end,
    'modify ' || aggfinalmodify::text,
    'combine ' || nullif(aggcombinefn::oid, 0)::regproc,
    'serial ' || nullif(aggserialfn::oid, 0)::regproc,
    'deserial ' || nullif(aggdeserialfn::oid, 0)::regproc,
    'initial ' || quote_literal(agginitval),
    'moving state ' || nullif(aggmtranstype, 0)::regtype,
    'by ' || nullif(aggmtransfn::oid, 0)::regproc,
    'inverse ' || nullif(aggminvtransfn::oid, 0)::regproc,
    'space ' || nullif(aggmtransspace, 0),
    'final ' || nullif(aggmfinalfn::oid, 0)::regproc,
    case when aggmfinalextra then 'extra' end,
    'modify ' || aggmfinalmodify::text,
    'initial ' || quote_literal(aggminitval),
    'sorts by ' || nullif(aggsortop, 0)::regoperator,
    'parallel ' || proparallel::text,
    case when proisstrict then 'strict' end
  ) as definition
from pg_catalog.pg_aggregate
join pg_catalog.pg_proc on pg_proc.oid = aggfnoid
where pg_proc.oid >= 16384
