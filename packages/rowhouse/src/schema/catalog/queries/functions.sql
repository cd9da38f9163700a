-- Settings that look like a secret stay out: each stands on lines of its own, a backslash as it is.
select
  oid,
  'function' as kind,
  oid::regprocedure::text as name,
  case when prokind = 'a' then 'aggregate' else regexp_replace(
    pg_get_functiondef(oid),
    (
      select coalesce(string_agg(
        regexp_replace(
          format(E' SET %I TO ''%s''\n', split_part(setting, '=', 1), replace(substr(setting, strpos(setting, '=') + 1), '''', '''''')),
          '(\W)',
          '\\\1',
          'g'
        ),
        '|'
      ), '$^')
      from unnest(proconfig) as setting
      where setting ~* (select pattern from secret)
    ),
    '',
    'g'
  ) end as definition
from pg_catalog.pg_proc
