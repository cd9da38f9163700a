-- private.check_if_match(): the If-Match header. Alice's task 1 has the version of noon; the
-- header is sent with a change and with a deletion of it. Bob has no task.
begin;
set local search_path = tap, public;
select plan(45);

insert into api.users (id, updated_at)
values
  (alice(), '2026-01-01T12:00:00.000001Z'),
  (bob(), '2026-01-01T12:00:00.000001Z');

insert into api.tasks (user_id, id, title, updated_at)
values (alice(), row_id(1), 'Alice buys milk', '2026-01-01T12:00:00.000001Z');

create function pg_temp.with_if_match(value text, statement text)
returns bigint
language plpgsql
as $$
begin
  perform tap.send_header('if-match', value);
  return tap.touched(statement);
end
$$;

grant execute on function pg_temp.with_if_match(text, text) to public;

create temporary table writes (verb, statement) as
values
  ('change', $$update api.tasks set completed = true$$),
  ('deletion', 'delete from api.tasks');

grant select on writes to public;
select act_as(alice());

select is(touched(statement), 1::bigint, format('A %s without If-Match goes through', verb))
from writes;

select is(
  pg_temp.with_if_match(value, statement),
  1::bigint,
  format('A %s goes through with If-Match: %s', verb, value)
)
from writes
cross join (
  values
    ('2026-01-01T12:00:00.000001+00:00'),
    ('"2026-01-01T12:00:00.000001+00:00"'),
    ('2026-01-01T13:00:00.000001+01:00'),
    ('2026-01-01 12:00:00.000001Z'),
    ('*'),
    ('"*"')
) as match (value);

select throws_detail(
  format('select pg_temp.with_if_match(%L, %L)', value, statement),
  'PT412', 'row_stale',
  format('A %s is refused with If-Match: %s', verb, value)
)
from writes
cross join (
  values
    ('2026-01-01T12:00:00+00:00'),
    ('2026-01-01T12:00:00.000002+00:00'),
    ('"2001-01-01T00:00:00+00:00"'),
    ('2001-01-01')
) as stale (value);

select throws_detail(
  format('select pg_temp.with_if_match(%L, %L)', value, statement),
  'PT400', 'if_match_invalid',
  format('A %s is refused with an If-Match that is %s', verb, meaning)
)
from writes
cross join (
  values
    ('', 'empty'),
    ('x', 'a word'),
    ('infinity', 'a word that PostgreSQL knows'),
    ('W/"2026-01-01T12:00:00.000001+00:00"', 'a weak tag'),
    ('"2026-01-01T12:00:00Z", "2026-01-01T12:00:00.000001Z"', 'a list'),
    ('2026-13-01T12:00:00Z', 'in the 13th month'),
    ('999999-01-01T12:00:00Z', 'out of range'),
    ('2026-01-01T12:00:00 Nowhere/Land', 'in an unknown time zone'),
    ('2026-01-01T12:00:00+99', 'in an impossible time zone')
) as odd (value, meaning);

select throws_ok(
  format('select pg_temp.with_if_match(%L, %L)', value, 'delete from api.tasks'),
  state, message,
  'A refusal says: ' || message
)
from (
  values
    ('2001-01-01T00:00:00Z', 'PT412', 'The row has changed since it was read.'),
    ('x', 'PT400', 'If-Match is not a timestamp.')
) as refusal (value, state, message);

select throws_detail(
  $$select pg_temp.with_if_match('2001-01-01T00:00:00Z', 'update api.users set name = ''Alice''')$$,
  'PT412', 'row_stale',
  'A change of a user is refused with a stale If-Match, too'
);

select is(
  pg_temp.with_if_match('2001-01-01T00:00:00Z', $$insert into api.tasks (title) values ('x')$$),
  1::bigint,
  'A creation does not look at If-Match'
);

reset role;

select throws_detail(
  $$select pg_temp.with_if_match('2001-01-01T00:00:00Z', 'delete from api.users where id = bob()')$$,
  'PT412', 'row_stale',
  'A deletion of a user is refused with a stale If-Match, should it ever be granted'
);

select * from finish();
rollback;
