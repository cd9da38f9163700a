-- What the roles may do with what is made from now on, and with the database.
with api_role (name) as (
  select 'public'
  union all
  select quote_ident(name)
  from api
  cross join unnest(roles) as name
)
select
  null::oid as oid,
  null::oid as namespace,
  'extra grant by default' as kind,
  mutation.object,
  format(mutation.sql, api_role.name) as sql,
  mutation.equivalent
from api_role
cross join (
  values
    ('new functions', 'alter default privileges grant execute on functions to %s;', null),
    ('new tables', 'alter default privileges grant all on tables to %s;', null),
    ('new sequences', 'alter default privileges grant all on sequences to %s;', null),
    ('new schemas', 'alter default privileges grant all on schemas to %s;', null),
    (
      'new schemas',
      e'do $$\nbegin\n  execute format(''grant create on database %%I to %s'', current_database());\nend\n$$;',
      null
    ),
    (
      'temporary tables',
      e'do $$\nbegin\n  execute format(''grant temporary on database %%I to %s'', current_database());\nend\n$$;',
      'a copy of a database does not copy its privileges, so in each copy all users have this one already'
    )
) as mutation (object, sql, equivalent)
order by mutation.object, sql
