-- level: error
-- why: PostgREST repeats a request that ends with 40001 for ever, and what it takes for a 503
--   (classes 08 and 53, PT503) makes it drop its connections.
-- do: Name the error where it is raised. Raise a PTxyz with another status: PT409 for a conflict,
--   PT429 for too much at once.
-- cost: None, but for functions that raise these.
with source as (
  -- Comments are taken out, strings are left.
  select
    oid,
    regexp_replace(prosrc, '(''(?:[^'']|'''')*'')|--[^\n]*|/\*(?:[^*]|\*+[^*/])*\*+/', '\1', 'g') as text
  from pg_catalog.pg_proc
  where pronamespace = any (:schemas::oid[] || :helpers::oid[])
),
raised as (
  select oid, found[1] as error
  from source
  cross join regexp_matches(
    source.text,
    -- raise sqlstate '40001'; raise exception serialization_failure; using errcode = 'disk_full'
    '(?:\mraise\s+(?:exception\s+)?(?:sqlstate\s+'')?|\merrcode\s*:?=\s*'')(\w+)',
    'gi'
  ) as found
  union all
  -- Where a variable says what is raised, it can be any code or condition in the function.
  select oid, code[1]
  from source
  cross join regexp_matches(
    regexp_replace(source.text, '\msqlstate\s*(=|<>|in\s*\()?\s*''\w+''', '', 'gi'),
    '''(\w+)''',
    'g'
  ) as code
  where source.text ~* '\merrcode\s*:?=\s*[a-z_(]'
)
select distinct
  oid::regprocedure::text as object,
  format('the function raises %s', error) as finding
from raised
-- 53400, configuration_limit_exceeded, is a 500.
where error ~* '^(40001|08[0-9A-Z]{3}|53(?!400)[0-9A-Z]{3}|PT503)$'
or lower(error) in (
  'serialization_failure',
  'connection_exception',
  'connection_does_not_exist',
  'connection_failure',
  'sqlclient_unable_to_establish_sqlconnection',
  'sqlserver_rejected_establishment_of_sqlconnection',
  'transaction_resolution_unknown',
  'protocol_violation',
  'insufficient_resources',
  'disk_full',
  'out_of_memory',
  'too_many_connections'
)
