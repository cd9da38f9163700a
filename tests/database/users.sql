-- api.users: columns, keys and triggers. The superuser writes here; policies.users.sql tests who
-- else may.
begin;
set local search_path = tap, public;
select plan(33);

select is(
  array(
    select concat_ws(
      ' ',
      attname,
      format_type(atttypid, atttypmod),
      case when attnotnull then 'not null' end,
      'default ' || pg_get_expr(adbin, adrelid)
    )
    from pg_attribute
    left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where attrelid = 'api.users'::regclass and attnum > 0 and not attisdropped
    order by attnum
  ),
  array[
    'id uuid not null default request.uuid_v7()',
    'email text',
    'name text',
    'created_at timestamp with time zone not null default now()',
    'updated_at timestamp with time zone not null default now()'
  ],
  'Users have these columns'
);

select is(
  array(
    select tgname
    from pg_trigger
    where tgrelid = 'api.users'::regclass
    and not tgisinternal
    -- Those of the tables that `rowhouse db table --shared` writes: the tests of these want them.
    and tgname !~ '^announce_end_to_'
    order by tgname
  ),
  array['check_if_match', 'step_updated_at']::name[],
  'Users have these triggers'
);

select indexes_are(
  'api', 'users',
  array['users_pkey', 'users_email'],
  'Users have these indexes'
);

select col_is_pk('api', 'users', 'id', 'A user is known by their id');

select index_is_primary('api', 'users', 'users_pkey', 'The key of users is users_pkey');

select has_index('api', 'users', 'users_email', 'email', 'Users are found by email address');

-- Defaults

insert into api.users (email)
values ('dave@example.com');

select results_eq(
  $$
    select substring(id::text from 15 for 1), name, created_at, updated_at
    from api.users
    where email = 'dave@example.com'
  $$,
  $$values ('7', null::text, now(), now())$$,
  'A user who is created with nothing but an email address has an id, no name, and was made now'
);

-- What a row may hold

create function pg_temp.create_with(name text, value text)
returns text
language sql
as $$
  select format('insert into api.users (%I) values (%L)', name, value);
$$;

select lives_ok(pg_temp.create_with(column_name, value), 'A user may have ' || meaning)
from (
  values
    ('id', 'a11ce000-0000-4000-8000-000000000000', 'an id of any version: it comes from the token'),
    ('email', null, 'no email address'),
    ('email', 'a@b', 'the shortest email address'),
    ('email', repeat('a', 316) || '@b.c', 'an email address of 320 characters'),
    ('email', 'dave@example.com', 'an email address that another has, since a "taken" would tell'),
    ('name', null, 'no name'),
    ('name', 'A', 'a name of one character'),
    ('name', repeat('ä', 200), 'a name of 200 characters, of two bytes each')
) as fit (column_name, value, meaning);

select throws_constraint(
  pg_temp.create_with(column_name, value),
  '23514', violated,
  'A user may not have ' || meaning
)
from (
  values
    ('email', '', 'users_email_form', 'an empty email address'),
    ('email', 'alice', 'users_email_form', 'an email address without an @'),
    ('email', '@example.com', 'users_email_form', 'an email address without a name'),
    ('email', 'alice@', 'users_email_form', 'an email address without a domain'),
    ('email', 'a@b@c', 'users_email_form', 'an email address with two @'),
    ('email', 'a lice@example.com', 'users_email_form', 'an email address with a blank'),
    ('email', e'alice@example.com\n', 'users_email_form', 'an email address with a line feed'),
    ('email', repeat('a', 317) || '@b.c', 'users_email_form', 'an email address of 321 characters'),
    ('name', '', 'users_name_length', 'an empty name'),
    ('name', ' ', 'users_name_not_blank', 'a blank name'),
    ('name', repeat('a', 201), 'users_name_length', 'a name of 201 characters')
) as unfit (column_name, value, violated, meaning);

select throws_ok(
  pg_temp.create_with(column_name, null),
  '23502',
  format('null value in column "%s" of relation "users" violates not-null constraint', column_name),
  format('A user must have %s', column_name)
)
from unnest(array['id', 'created_at', 'updated_at']) as needed (column_name);

select throws_constraint(
  $$insert into api.users (id) values (alice()), (alice())$$,
  '23505', 'users_pkey',
  'No two users have one id'
);

-- The version of a row

update api.users
set name = 'Dave'
where email = 'dave@example.com';

select ok(
  (select bool_and(updated_at > created_at) from api.users where email = 'dave@example.com'),
  'A change of a user moves updated_at forward'
);

set local request.headers = '{"if-match": "2001-01-01T00:00:00Z"}';

select throws_detail(
  statement,
  'PT412', 'row_stale',
  format('A %s of a user is refused with a stale If-Match', verb)
)
from (
  values
    ('change', $$update api.users set name = 'David'$$),
    ('deletion', 'delete from api.users')
) as write (verb, statement);

select * from finish();
rollback;
