-- What the roles may do with what is made from now on, and with the database. TEMPORARY is not
-- among it: `create database ... template` does not copy the privileges of the database, so
-- every clone gives it to everyone, and no pgTAP file could tell the mutant from the original.
with api_role (name) as (
  values ('public'), ('anonymous'), ('authenticated')
)
select
  null::oid as oid,
  null::oid as namespace,
  'extra grant by default' as kind,
  mutation.object,
  format(mutation.sql, api_role.name) as sql
from api_role
cross join (
  values
    ('new functions', 'alter default privileges grant execute on functions to %s;'),
    ('new tables', 'alter default privileges grant all on tables to %s;'),
    ('new sequences', 'alter default privileges grant all on sequences to %s;'),
    ('new schemas', 'alter default privileges grant all on schemas to %s;'),
    (
      'new schemas',
      e'do $$\nbegin\n  execute format(''grant create on database %%I to %s'', current_database());\nend\n$$;'
    )
) as mutation (object, sql)
order by mutation.object, sql
