-- What policies, views and functions can rest on, and what each rests on in turn: by pg_depend, and
-- by the texts that PostgreSQL does not look into. See dependencies.ts for the columns. $1 are the
-- roles that requests can have, $2 those that PostgREST can log in as.
with role (name) as (
  select rolname
  from pg_catalog.pg_roles
  where rolname = any ($1::text[])
),
ours (oid, name) as (
  select oid, nspname
  from pg_catalog.pg_namespace
  where nspname <> 'information_schema'
  and nspname not like 'pg\_%'
),
trusted (oid) as (
  select oid
  from pg_catalog.pg_roles
  where rolsuper or rolbypassrls
),
object (class, oid, id) as (
  select 'pg_proc'::regclass, pg_proc.oid, 'function ' || pg_proc.oid::regprocedure
  from pg_catalog.pg_proc
  join ours on ours.oid = pronamespace
  union all
  select 'pg_operator'::regclass, pg_operator.oid, 'operator ' || pg_operator.oid::regoperator
  from pg_catalog.pg_operator
  join ours on ours.oid = oprnamespace
  union all
  select 'pg_class'::regclass, pg_class.oid, 'relation ' || pg_class.oid::regclass
  from pg_catalog.pg_class
  join ours on ours.oid = relnamespace
  where relkind in ('r', 'p', 'f', 'v', 'm')
  union all
  select 'pg_type'::regclass, pg_type.oid, 'type ' || format_type(pg_type.oid, null)
  from pg_catalog.pg_type
  join ours on ours.oid = typnamespace
  where typcategory <> 'A'
  and (
    typtype in ('b', 'd', 'e', 'r', 'm')
    or typrelid in (select pg_class.oid from pg_catalog.pg_class where relkind = 'c')
  )
  union all
  select 'pg_collation'::regclass, pg_collation.oid, 'collation ' || pg_collation.oid::regcollation
  from pg_catalog.pg_collation
  join ours on ours.oid = collnamespace
  union all
  select 'pg_ts_config'::regclass, pg_ts_config.oid, 'text search configuration ' || pg_ts_config.oid::regconfig
  from pg_catalog.pg_ts_config
  join ours on ours.oid = cfgnamespace
  union all
  select 'pg_ts_dict'::regclass, pg_ts_dict.oid, 'text search dictionary ' || pg_ts_dict.oid::regdictionary
  from pg_catalog.pg_ts_dict
  join ours on ours.oid = dictnamespace
  union all
  select 'pg_policy'::regclass, oid, format('policy %I on %s', polname, polrelid::regclass)
  from pg_catalog.pg_policy
  union all
  select
    'pg_cast'::regclass,
    oid,
    format('cast %s as %s', format_type(castsource, null), format_type(casttarget, null))
  from pg_catalog.pg_cast
  where oid >= 16384
),
attribute (relation, number, id, schema, name, type, type_oid, collation_oid, generated, expression) as (
  select
    object.oid,
    attnum,
    format('%I of%s', attname, substr(object.id, 9)),
    ours.name,
    format('%s (%s)', relname, attname),
    format_type(atttypid, atttypmod),
    coalesce(nullif(typelem, 0), atttypid),
    attcollation,
    attgenerated,
    pg_get_expr(adbin, adrelid)
  from object
  join pg_catalog.pg_class on pg_class.oid = object.oid
  join ours on ours.oid = relnamespace
  join pg_catalog.pg_attribute
    on attrelid = pg_class.oid
    and attnum > 0
    and not attisdropped
  join pg_catalog.pg_type on pg_type.oid = atttypid
  left join pg_catalog.pg_attrdef
    on adrelid = attrelid
    and adnum = attnum
  where class = 'pg_class'::regclass
),
source (class, oid, id) as (
  select class, oid, id
  from object
  where class <> 'pg_class'::regclass
  union all
  select 'pg_rewrite'::regclass, pg_rewrite.oid, id
  from pg_catalog.pg_rewrite
  join object
    on object.class = 'pg_class'::regclass
    and object.oid = ev_class
  where ev_type = '1'
  union all
  select 'pg_constraint'::regclass, pg_constraint.oid, id
  from pg_catalog.pg_constraint
  join object
    on object.class = 'pg_type'::regclass
    and object.oid = contypid
  union all
  select
    'pg_attrdef'::regclass,
    pg_attrdef.oid,
    case generated when '' then 'default of ' else 'values of ' end || id
  from pg_catalog.pg_attrdef
  join attribute
    on relation = adrelid
    and number = adnum
),
extension_function (oid) as (
  select pg_proc.oid
  from pg_catalog.pg_proc
  join pg_catalog.pg_language on pg_language.oid = prolang
  join pg_catalog.pg_depend
    on classid = 'pg_proc'::regclass
    and objid = pg_proc.oid
    and deptype = 'e'
  where lanname in ('c', 'internal')
),
edge (id, used) as (
  select source.id, object.id
  from pg_catalog.pg_depend
  join source
    on source.class = classid
    and source.oid = objid
  join object
    on object.class = refclassid
    and object.oid = refobjid
  where object.id <> source.id
  -- How an extension reads and writes the values of its types is no question of who asks. What a policy
  -- calls of it, the policy depends on.
  and not (
    classid = 'pg_type'::regclass
    and refclassid = 'pg_proc'::regclass
    and refobjid in (select oid from extension_function)
  )
  -- What a column is computed from stands in its own row.
  and not (classid = 'pg_attrdef'::regclass and refclassid = 'pg_class'::regclass)
  -- A policy depends on its own table in any case; its text shows whether it reads it.
  and not exists (
    select
    from pg_catalog.pg_policy
    where classid = 'pg_policy'::regclass
    and pg_policy.oid = objid
    and refclassid = 'pg_class'::regclass
    and refobjid = polrelid
  )
  union
  -- What stands in a column, and what an insert puts there that does not name it.
  select source.id, kind || attribute.id
  from pg_catalog.pg_depend
  join source
    on source.class = classid
    and source.oid = objid
  join attribute
    on attribute.relation = refobjid
    -- 0 is the whole row; each policy also depends on its table, automatically.
    and (attribute.number = refobjsubid or (refobjsubid = 0 and deptype = 'n'))
  cross join (values ('values of '), ('default of ')) as part (kind)
  where refclassid = 'pg_class'::regclass
  and classid in ('pg_policy'::regclass, 'pg_attrdef'::regclass)
  and 'values of ' || attribute.id <> source.id
  and (
    kind = 'values of '
    or classid = 'pg_policy'::regclass
    and objid in (select oid from pg_catalog.pg_policy where polcmd in ('a', '*'))
  )
  union
  select object.id, 'values of ' || attribute.id
  from object
  join attribute on attribute.relation = object.oid
  where class = 'pg_class'::regclass
  union
  select 'values of ' || attribute.id, object.id
  from attribute
  join object
    on (object.class = 'pg_type'::regclass and object.oid = attribute.type_oid)
    or (object.class = 'pg_collation'::regclass and object.oid = attribute.collation_oid)
  union
  -- The order of values, as "order by" and "distinct" need it.
  select operator.id, function.id
  from object as operator
  join pg_catalog.pg_amop on amopopr = operator.oid
  join pg_catalog.pg_amproc on amprocfamily = amopfamily
  join object as function
    on function.class = 'pg_proc'::regclass
    and function.oid = amproc
  where operator.class = 'pg_operator'::regclass
  union
  select id, 'access to' || substr(id, 9)
  from object
  where class = 'pg_class'::regclass
  union
  select 'access to' || substr(object.id, 9), 'column ' || attribute.id
  from object
  join attribute on attribute.relation = object.oid
  where class = 'pg_class'::regclass
  union
  select 'access to ' || polrelid::regclass, format('policy %I on %s', polname, polrelid::regclass)
  from pg_catalog.pg_policy
  where polcmd in ('r', '*')
),
-- What is neither a function nor a relation: its text, if it has one, is expressions.
plain (id, kind, schema, name, definition, text) as (
  select
    id,
    'operator',
    ours.name,
    oprname,
    oprcode::regprocedure::text,
    null
  from object
  join pg_catalog.pg_operator on pg_operator.oid = object.oid
  join ours on ours.oid = oprnamespace
  where class = 'pg_operator'::regclass
  union all
  select
    id,
    'cast',
    '',
    format_type(casttarget, null),
    concat_ws(' ', castmethod, castcontext, castfunc::regprocedure),
    null
  from object
  join pg_catalog.pg_cast on pg_cast.oid = object.oid
  where class = 'pg_cast'::regclass
  union all
  select
    id,
    'type',
    ours.name,
    typname,
    concat_ws(
      ' ',
      typtype,
      typnotnull,
      format_type(nullif(typbasetype, 0), typtypmod),
      typinput::regproc,
      typoutput::regproc,
      checks.expressions,
      (
        select string_agg(quote_literal(enumlabel), ', ' order by enumsortorder)
        from pg_catalog.pg_enum
        where enumtypid = pg_type.oid
      ),
      (
        select string_agg(
          concat_ws(' ', quote_ident(attname), format_type(atttypid, atttypmod), attcollation::regcollation),
          ', '
          order by attnum
        )
        from pg_catalog.pg_attribute
        where attrelid = nullif(typrelid, 0)
        and attnum > 0
        and not attisdropped
      ),
      (
        select concat_ws(' ', rngsubtype::regtype, rngcollation::regcollation, opcname)
        from pg_catalog.pg_range
        join pg_catalog.pg_opclass on pg_opclass.oid = rngsubopc
        where pg_type.oid in (rngtypid, rngmultitypid)
      )
    ),
    checks.expressions
  from object
  join pg_catalog.pg_type on pg_type.oid = object.oid
  join ours on ours.oid = typnamespace
  cross join lateral (
    select string_agg(pg_get_expr(conbin, 0), ', ' order by conname)
    from pg_catalog.pg_constraint
    where contypid = pg_type.oid
    and contype = 'c'
  ) as checks (expressions)
  where class = 'pg_type'::regclass
  union all
  -- What a role reads of a table: to whoever is past its policies it makes no difference.
  select
    'access to' || substr(id, 9),
    'access',
    ours.name,
    relname,
    concat_ws(
      E'\n',
      relrowsecurity,
      relforcerowsecurity,
      (
        select string_agg(role.name, ', ' order by role.name)
        from role
        where pg_has_role(role.name, relowner, 'usage')
      ),
      (
        select string_agg(role.name, ', ' order by role.name)
        from role
        where has_any_column_privilege(role.name, pg_class.oid, 'select')
      ),
      (
        select string_agg(
          concat_ws(
            ' ',
            polpermissive,
            array(
              select case oid when 0 then 'public' else oid::regrole::text end
              from unnest(polroles) as oid
              order by 1
            ),
            pg_get_expr(polqual, polrelid)
          ),
          E'\n'
          order by polname
        )
        from pg_catalog.pg_policy
        where polrelid = pg_class.oid
        and polcmd in ('r', '*')
      )
    ),
    null
  from object
  join pg_catalog.pg_class on pg_class.oid = object.oid
  join ours on ours.oid = relnamespace
  where class = 'pg_class'::regclass
  union all
  select
    'column ' || id,
    'column',
    schema,
    name,
    (
      select string_agg(role.name, ', ' order by role.name)
      from role
      where has_column_privilege(role.name, relation, number, 'select')
    ),
    null
  from attribute
  union all
  select
    'values of ' || id,
    'values',
    schema,
    name,
    concat_ws(
      ' ',
      type,
      nullif(collation_oid, 0)::regcollation,
      nullif(generated, ''),
      case when generated <> '' then expression end
    ),
    case when generated <> '' then expression end
  from attribute
  union all
  select 'default of ' || id, 'default', schema, name, expression, expression
  from attribute
  where generated = ''
  union all
  select
    id,
    'collation',
    ours.name,
    collname,
    (to_jsonb(pg_collation) - array['oid', 'collnamespace', 'collowner', 'collversion'])::text,
    null
  from object
  join pg_catalog.pg_collation on pg_collation.oid = object.oid
  join ours on ours.oid = collnamespace
  where class = 'pg_collation'::regclass
  union all
  select
    id,
    'text search configuration',
    ours.name,
    cfgname,
    concat_ws(
      E'\n',
      prsname,
      (
        select string_agg(format('%s %s', maptokentype, mapdict::regdictionary), E'\n' order by maptokentype, mapseqno)
        from pg_catalog.pg_ts_config_map
        where mapcfg = pg_ts_config.oid
      )
    ),
    null
  from object
  join pg_catalog.pg_ts_config on pg_ts_config.oid = object.oid
  join pg_catalog.pg_ts_parser on pg_ts_parser.oid = cfgparser
  join ours on ours.oid = cfgnamespace
  where class = 'pg_ts_config'::regclass
  union all
  select
    id,
    'text search dictionary',
    ours.name,
    dictname,
    concat_ws(' ', tmplname, dictinitoption),
    null
  from object
  join pg_catalog.pg_ts_dict on pg_ts_dict.oid = object.oid
  join pg_catalog.pg_ts_template on pg_ts_template.oid = dicttemplate
  join ours on ours.oid = dictnamespace
  where class = 'pg_ts_dict'::regclass
  union all
  select
    id,
    'policy',
    polrelid::regclass::text,
    polname,
    '',
    concat_ws(', ', pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
  from object
  join pg_catalog.pg_policy on pg_policy.oid = object.oid
  where class = 'pg_policy'::regclass
  union all
  select
    'setting ' || lower(split_part(setting, '=', 1)),
    'setting',
    -- Where it is set for all roles alike, a connection of any role has it.
    case when bool_and(setrole = 0) then 'database' else 'role' end,
    lower(split_part(setting, '=', 1)),
    string_agg(
      format('%s %s', case setrole when 0 then 'all' else setrole::regrole::text end, setting),
      E'\n'
      order by setrole = 0, setrole::regrole::text, setdatabase = 0
    ),
    null
  from pg_catalog.pg_db_role_setting
  cross join unnest(setconfig) as setting
  where setdatabase in (0, (select oid from pg_catalog.pg_database where datname = current_database()))
  and (
    setrole = 0
    or setrole in (select oid from pg_catalog.pg_roles where rolname = any ($1::text[] || $2::text[]))
  )
  group by lower(split_part(setting, '=', 1))
  union all
  select
    'privileges',
    'privileges',
    '',
    'privileges',
    concat_ws(
      E'\n',
      (
        select string_agg(
          format('%s %s %s', class.oid::regclass, role.name, privilege.name),
          E'\n'
          order by class.oid::regclass::text, role.name, privilege.name
        )
        from pg_catalog.pg_class as class
        join ours on ours.oid = class.relnamespace
        cross join role
        cross join (values ('select'), ('insert'), ('update'), ('delete'), ('truncate'), ('references'), ('trigger')) as privilege (name)
        where class.relkind in ('r', 'p', 'f', 'v', 'm')
        and has_table_privilege(role.name, class.oid, privilege.name)
      ),
      (
        select string_agg(
          format('%s.%I %s %s', attrelid::regclass, attname, role.name, privilege.name),
          E'\n'
          order by attrelid::regclass::text, attname, role.name, privilege.name
        )
        from pg_catalog.pg_attribute
        join pg_catalog.pg_class as class on class.oid = attrelid
        join ours on ours.oid = class.relnamespace
        cross join role
        cross join (values ('select'), ('insert'), ('update'), ('references')) as privilege (name)
        where attacl is not null
        and has_column_privilege(role.name, attrelid, attnum, privilege.name)
      ),
      (
        select string_agg(format('%s %s', object.id, role.name), E'\n' order by object.id, role.name)
        from object
        cross join role
        where class = 'pg_proc'::regclass
        and has_function_privilege(role.name, object.oid, 'execute')
      ),
      (
        select string_agg(
          format('%s %s %s', ours.name, role.name, privilege.name),
          E'\n'
          order by ours.name, role.name, privilege.name
        )
        from ours
        cross join role
        cross join (values ('usage'), ('create')) as privilege (name)
        where has_schema_privilege(role.name, ours.oid, privilege.name)
      ),
      (
        select string_agg(
          format('%s %s', role.name, pg_roles.rolname),
          E'\n'
          order by role.name, pg_roles.rolname
        )
        from role
        cross join pg_catalog.pg_roles
        where pg_has_role(role.name, pg_roles.oid, 'member')
      )
    ),
    null
),
thing (id, kind, schema, name, definition, language, text, defaults, exact, immutable, past, definer, "usableBy") as (
  select
    object.id,
    'function',
    ours.name,
    proname,
    concat_ws(
      E'\n',
      case
        when prokind = 'a' then (
          select to_jsonb(aggregate) - array['aggfnoid', 'aggsortop', 'aggtranstype', 'aggmtranstype']
          from pg_catalog.pg_aggregate as aggregate
          where aggfnoid = pg_proc.oid
        )::text
        else pg_get_functiondef(pg_proc.oid)
      end,
      may.roles,
      case when prosecdef then nullif(proowner, datdba)::regrole end
    ),
    case when prokind = 'a' then 'none' else lanname end,
    case
      when prosqlbody is not null then pg_get_function_sqlbody(pg_proc.oid)
      when lanname = 'plpgsql' then pg_get_functiondef(pg_proc.oid)
      else prosrc
    end,
    pg_get_expr(proargdefaults, 0),
    prosqlbody is not null,
    provolatile = 'i',
    prosecdef and proowner in (select oid from trusted),
    prosecdef,
    may.roles
  from object
  join pg_catalog.pg_proc on pg_proc.oid = object.oid
  join ours on ours.oid = pronamespace
  join pg_catalog.pg_language on pg_language.oid = prolang
  cross join (select datdba from pg_catalog.pg_database where datname = current_database()) as own
  cross join lateral (
    select coalesce(jsonb_agg(role.name order by role.name), '[]')
    from role
    where has_function_privilege(role.name, pg_proc.oid, 'execute')
  ) as may (roles)
  where class = 'pg_proc'::regclass
  union all
  select
    id,
    'relation',
    ours.name,
    relname,
    concat_ws(
      E'\n',
      relkind,
      reloptions,
      case when relkind in ('v', 'm') then pg_get_viewdef(pg_class.oid) end,
      case when relkind = 'v' then nullif(relowner, datdba)::regrole end
    ),
    case when relkind in ('v', 'm') then 'sql' else 'none' end,
    case when relkind in ('v', 'm') then pg_get_viewdef(pg_class.oid) end,
    null,
    true,
    false,
    relkind = 'v'
    and not coalesce(
      (
        select option_value::boolean
        from pg_catalog.pg_options_to_table(reloptions)
        where option_name = 'security_invoker'
      ),
      false
    )
    and relowner in (select oid from trusted),
    false,
    '[]'
  from object
  join pg_catalog.pg_class on pg_class.oid = object.oid
  join ours on ours.oid = relnamespace
  cross join (select datdba from pg_catalog.pg_database where datname = current_database()) as own
  where class = 'pg_class'::regclass
  union all
  select
    id,
    kind,
    schema,
    name,
    definition,
    case when text is null then 'none' else 'expression' end,
    text,
    null,
    true,
    false,
    false,
    false,
    '[]'
  from plain
)
select
  thing.*,
  coalesce(
    (
      select jsonb_agg(distinct edge.used)
      from edge
      where edge.id = thing.id
    ),
    '[]'
  ) as uses
from thing
order by id
