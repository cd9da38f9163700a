-- Who may do what in the exposed schemas ($1), by the roles that requests can have ($2), as one JSON
-- value: see model.ts for its shape. $3 and $4 are the columns of owners: see owner_columns.sql.
with role (name, position, bypasses) as (
  select pg_roles.rolname, wanted.position, pg_roles.rolsuper or pg_roles.rolbypassrls
  from unnest($2::text[]) with ordinality as wanted (name, position)
  join pg_catalog.pg_roles on pg_roles.rolname = wanted.name
),
exposed (oid, name, position) as (
  select pg_namespace.oid, pg_namespace.nspname, wanted.position
  from unnest($1::text[]) with ordinality as wanted (name, position)
  join pg_catalog.pg_namespace on pg_namespace.nspname = wanted.name
),
policy as (
  select
    pol.polrelid as relation,
    json_build_object(
      'name', pol.polname,
      'permissive', pol.polpermissive,
      'verb', case pol.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
      'roles', (
        select json_agg(case oid when 0 then 'public' else oid::regrole::text end order by oid)
        from unnest(pol.polroles) as oid
      ),
      'appliesTo', (
        select coalesce(json_agg(role.name order by role.position), '[]')
        from role
        where exists (
          select
          from unnest(pol.polroles) as oid
          where oid = 0 or pg_catalog.pg_has_role(role.name, oid, 'usage')
        )
      ),
      'using', pg_get_expr(pol.polqual, pol.polrelid),
      'check', pg_get_expr(pol.polwithcheck, pol.polrelid),
      'comment', obj_description(pol.oid, 'pg_policy')
    ) as value,
    pol.polname as name
  from pg_catalog.pg_policy as pol
),
grants as (
  select
    class.oid as relation,
    json_agg(
      json_build_object(
        'role', role.name,
        'verb', verb.name,
        'columns', case when verb.name = 'delete'
          then case when has_table_privilege(role.name, class.oid, 'delete') then '[]'::json end
          else (
            select json_agg(attribute.attname order by attribute.attnum)
            from pg_catalog.pg_attribute as attribute
            where attribute.attrelid = class.oid
            and attribute.attnum > 0
            and not attribute.attisdropped
            and has_column_privilege(role.name, class.oid, attribute.attnum, verb.name)
          )
        end
      )
      order by role.position, verb.position
    ) as value
  from pg_catalog.pg_class as class
  cross join role
  cross join (values (1, 'select'), (2, 'insert'), (3, 'update'), (4, 'delete')) as verb (position, name)
  where class.relnamespace in (select oid from exposed)
  and class.relkind in ('r', 'p', 'f', 'v', 'm')
  group by class.oid
)
select json_build_object(
  'relations', (
    select coalesce(
      json_agg(
        json_build_object(
          'schema', exposed.name,
          'name', class.relname,
          'kind', case class.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table' else 'table' end,
          'comment', obj_description(class.oid, 'pg_class'),
          'asksAsInvoker', class.relkind = 'v' and exists (
            select
            from pg_catalog.pg_options_to_table(class.reloptions)
            where option_name = 'security_invoker'
            and option_value::boolean
          ),
          'usableBy', (
            select coalesce(json_agg(role.name order by role.position), '[]')
            from role
            where has_schema_privilege(role.name, class.relnamespace, 'usage')
          ),
          'rowSecurity', class.relrowsecurity,
          'forced', class.relforcerowsecurity,
          'bypassedBy', (
            select coalesce(json_agg(role.name order by role.position), '[]')
            from role
            where role.bypasses
          ),
          'ownedBy', (
            select coalesce(json_agg(role.name order by role.position), '[]')
            from role
            where pg_has_role(role.name, class.relowner, 'usage')
          ),
          'key', (
            select coalesce(json_agg(attribute.attname order by key.position), '[]')
            from pg_catalog.pg_constraint as pkey
            cross join unnest(pkey.conkey) with ordinality as key (attnum, position)
            join pg_catalog.pg_attribute as attribute
              on attribute.attrelid = class.oid
              and attribute.attnum = key.attnum
            where pkey.conrelid = class.oid
            and pkey.contype = 'p'
          ),
          'owner', (
            select attribute.attname
            from unnest($3::oid[], $4::int2[]) as owner (relation, number)
            join pg_catalog.pg_attribute as attribute
              on attribute.attrelid = owner.relation
              and attribute.attnum = owner.number
            where owner.relation = class.oid
          ),
          'columns', (
            select coalesce(json_agg(
              json_build_object(
                'name', attribute.attname,
                'type', format_type(attribute.atttypid, attribute.atttypmod),
                'default', pg_get_expr(attrdef.adbin, attrdef.adrelid),
                'generated', attribute.attgenerated <> '',
                'identity', attribute.attidentity = 'a'
              )
              order by attribute.attnum
            ), '[]')
            from pg_catalog.pg_attribute as attribute
            left join pg_catalog.pg_attrdef as attrdef
              on attrdef.adrelid = attribute.attrelid
              and attrdef.adnum = attribute.attnum
            where attribute.attrelid = class.oid
            and attribute.attnum > 0
            and not attribute.attisdropped
          ),
          'grants', (select value from grants where grants.relation = class.oid),
          'policies', (
            select coalesce(json_agg(policy.value order by policy.name), '[]')
            from policy
            where policy.relation = class.oid
          )
        )
        order by exposed.position, class.relname
      ),
      '[]'
    )
    from pg_catalog.pg_class as class
    join exposed on exposed.oid = class.relnamespace
    where class.relkind in ('r', 'p', 'f', 'v', 'm')
    -- dbmate's own table, unless requests reach it.
    and (
      (exposed.name, class.relname) <> ('public', 'schema_migrations')
      or exists (
        select
        from role
        where has_table_privilege(role.name, class.oid, 'select, insert, update, delete')
      )
    )
  ),
  'functions', (
    select coalesce(
      json_agg(
        json_build_object(
          'schema', namespace.nspname,
          'name', function.proname,
          'signature', format(
            -- For reading: a key word needs no quotes there.
            case when function.proname ~ '^[a-z_][a-z0-9_$]*$' then '%s.%s(%s)' else '%s.%I(%s)' end,
            function.pronamespace::regnamespace,
            function.proname,
            pg_get_function_identity_arguments(function.oid)
          ),
          'returns', pg_get_function_result(function.oid),
          'security', case when function.prosecdef then 'definer' else 'invoker' end,
          'searchPath', (
            select split_part(setting, '=', 2)
            from unnest(function.proconfig) as setting
            where setting like 'search_path=%'
          ),
          'volatility', case function.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end,
          'executableBy', (
            select coalesce(json_agg(role.name order by role.position), '[]')
            from role
            where has_schema_privilege(role.name, function.pronamespace, 'usage')
            and has_function_privilege(role.name, function.oid, 'execute')
          ),
          'comment', obj_description(function.oid, 'pg_proc')
        )
        order by namespace.nspname::text, function.proname, function.oid::regprocedure::text
      ),
      '[]'
    )
    from pg_catalog.pg_proc as function
    join pg_catalog.pg_namespace as namespace on namespace.oid = function.pronamespace
    where namespace.nspname not like 'pg\_%'
    and namespace.nspname <> 'information_schema'
    and function.prokind in ('f', 'p')
    and not exists (
      select
      from pg_catalog.pg_depend as part
      where part.classid = 'pg_proc'::regclass
      and part.objid = function.oid
      and part.deptype = 'e'
    )
  )
) as model
