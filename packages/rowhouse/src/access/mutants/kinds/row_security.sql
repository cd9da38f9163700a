select
  class.oid,
  class.relnamespace as namespace,
  mutation.kind,
  class.oid::regclass::text as object,
  format(mutation.sql, class.oid::regclass, coalesce(quote_ident(api.user_role), 'public')) as sql
from pg_catalog.pg_class as class
cross join api
cross join (
  values
    (1, 'RLS off', 'alter table %s disable row level security;'),
    (2, 'FORCE off', 'alter table %s no force row level security;'),
    (3, 'extra policy', e'create policy everybody on %s\nfor all to %2$s\nusing (true);\n\ncomment on policy everybody on %1$s is \'A mutant.\';')
) as mutation (position, kind, sql)
where class.relkind in ('r', 'p')
and (mutation.position <> 1 or class.relrowsecurity)
and (mutation.position <> 2 or class.relforcerowsecurity)
order by object, mutation.position
