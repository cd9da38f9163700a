-- Kinds that few projects have. What a connection or a secret is in stays out: subscriptions, user
-- mappings, and options that look like a secret.
select
  oid,
  'event trigger' as kind,
  quote_ident(evtname) as name,
  concat_ws(' ', 'on', evtevent, 'when tag in ' || (select string_agg(tag, ', ' order by tag) from unnest(evttags) as tag), 'execute ' || evtfoid::regprocedure, 'enabled ' || nullif(evtenabled, 'O')::text) as definition
from pg_catalog.pg_event_trigger
union all
select
  oid,
  'publication',
  quote_ident(pubname),
  concat_ws(
    ' ',
    case when puballtables then 'for all tables' end,
    case when pubinsert then 'insert' end,
    case when pubupdate then 'update' end,
    case when pubdelete then 'delete' end,
    case when pubtruncate then 'truncate' end,
    case when pubviaroot then 'via partition root' end,
    'generated columns ' || nullif(to_jsonb(pg_publication) ->> 'pubgencols', 'n')
  )
from pg_catalog.pg_publication
union all
select
  prpubid,
  'publication',
  (select quote_ident(pubname) from pg_catalog.pg_publication where oid = prpubid) || ' of ' || prrelid::regclass,
  concat_ws(
    ' ',
    (
      select string_agg(quote_ident(attname), ', ' order by attname)
      from pg_catalog.pg_attribute
      where attrelid = prrelid
      and attnum = any (prattrs)
    ),
    'where ' || pg_get_expr(prqual, prrelid)
  )
from pg_catalog.pg_publication_rel
union all
select
  pnpubid,
  'publication',
  (select quote_ident(pubname) from pg_catalog.pg_publication where oid = pnpubid) || ' of schema ' || pnnspid::regnamespace,
  ''
from pg_catalog.pg_publication_namespace
union all
select
  oid,
  'collation',
  format('%s.%I', collnamespace::regnamespace, collname),
  concat_ws(
    ' ',
    'provider ' || collprovider::text,
    'encoding ' || nullif(collencoding, -1),
    collcollate,
    collctype,
    coalesce(to_jsonb(pg_collation) ->> 'colllocale', to_jsonb(pg_collation) ->> 'colliculocale'),
    'rules ' || (to_jsonb(pg_collation) ->> 'collicurules'),
    case when not collisdeterministic then 'nondeterministic' end
  )
from pg_catalog.pg_collation
where oid >= 16384
union all
select
  oid,
  'conversion',
  format('%s.%I', connamespace::regnamespace, conname),
  concat_ws(' ', pg_encoding_to_char(conforencoding), 'to', pg_encoding_to_char(contoencoding), conproc, case when condefault then 'default' end)
from pg_catalog.pg_conversion
where oid >= 16384
union all
select
  oid,
  'language',
  quote_ident(lanname),
  concat_ws(
    ' ',
    case when lanpltrusted then 'trusted' end,
    'handler ' || nullif(lanplcallfoid, 0)::regproc,
    'inline ' || nullif(laninline, 0)::regproc,
    'validator ' || nullif(lanvalidator, 0)::regproc
  )
from pg_catalog.pg_language
where oid >= 16384
union all
select oid, 'access method', quote_ident(amname), concat_ws(' ', amtype, amhandler)
from pg_catalog.pg_am
where oid >= 16384
union all
select
  oid,
  'transform',
  format('for %s language %I', format_type(trftype, null), (select lanname from pg_catalog.pg_language where oid = trflang)),
  concat_ws(' ', 'from ' || nullif(trffromsql::oid, 0)::regprocedure, 'to ' || nullif(trftosql::oid, 0)::regprocedure)
from pg_catalog.pg_transform
union all
select
  oid,
  'base type',
  oid::regtype::text,
  concat_ws(
    ' ',
    case when typisdefined then 'defined' else 'shell' end,
    'length ' || typlen,
    case when typbyval then 'by value' end,
    'alignment ' || typalign::text,
    'storage ' || typstorage::text,
    'category ' || typcategory::text,
    case when typispreferred then 'preferred' end,
    'delimiter ' || typdelim::text,
    'default ' || typdefault,
    'element ' || nullif(typelem, 0)::regtype,
    'collation ' || nullif(typcollation, 0)::regcollation,
    'functions ' || concat_ws(', ', typinput, typoutput, typreceive, typsend, typmodin, typmodout, typanalyze, typsubscript)
  )
from pg_catalog.pg_type
where typtype in ('b', 'p')
and oid >= 16384
and not exists (select from pg_catalog.pg_type as element where element.typarray = pg_type.oid)
union all
select
  oid,
  'foreign data wrapper',
  quote_ident(fdwname),
  concat_ws(' ', 'handler ' || nullif(fdwhandler, 0)::regproc, 'validator ' || nullif(fdwvalidator, 0)::regproc, (select string_agg(option, ', ' order by option) from unnest(fdwoptions) as option where option !~* (select pattern from secret)))
from pg_catalog.pg_foreign_data_wrapper
union all
select
  srv.oid,
  'server',
  quote_ident(srvname),
  concat_ws(' ', 'of', quote_ident(fdwname), srvtype, srvversion, (select string_agg(option, ', ' order by option) from unnest(srvoptions) as option where option !~* (select pattern from secret)))
from pg_catalog.pg_foreign_server as srv
join pg_catalog.pg_foreign_data_wrapper as fdw on fdw.oid = srvfdw
union all
select
  ftrelid,
  'property',
  'server of table ' || ftrelid::regclass,
  concat_ws(' ', (select quote_ident(srvname) from pg_catalog.pg_foreign_server where oid = ftserver), (select string_agg(option, ', ' order by option) from unnest(ftoptions) as option where option !~* (select pattern from secret)))
from pg_catalog.pg_foreign_table
union all
select
  oid,
  'text search parser',
  format('%s.%I', prsnamespace::regnamespace, prsname),
  concat_ws(' ', prsstart, prstoken, prsend, prsheadline, prslextype)
from pg_catalog.pg_ts_parser
where oid >= 16384
union all
select oid, 'text search template', format('%s.%I', tmplnamespace::regnamespace, tmplname), concat_ws(' ', tmplinit, tmpllexize)
from pg_catalog.pg_ts_template
where oid >= 16384
union all
select
  oid,
  'text search dictionary',
  format('%s.%I', dictnamespace::regnamespace, dictname),
  concat_ws(' ', (select format('%s.%I', tmplnamespace::regnamespace, tmplname) from pg_catalog.pg_ts_template as template where template.oid = dicttemplate), dictinitoption)
from pg_catalog.pg_ts_dict
where oid >= 16384
union all
select
  config.oid,
  'text search configuration',
  format('%s.%I', cfgnamespace::regnamespace, cfgname),
  concat_ws(
    ' ',
    (select format('%s.%I', prsnamespace::regnamespace, prsname) from pg_catalog.pg_ts_parser as parser where parser.oid = cfgparser),
    (
      select string_agg(format('%s: %s', maptokentype, mapdict::regdictionary), ', ' order by maptokentype, mapseqno)
      from pg_catalog.pg_ts_config_map
      where mapcfg = config.oid
    )
  )
from pg_catalog.pg_ts_config as config
where oid >= 16384
union all
select
  objoid,
  'security label',
  (select type || ' ' || identity from pg_identify_object(classoid, objoid, objsubid)) || ' by ' || quote_ident(provider),
  label
from pg_catalog.pg_seclabel
