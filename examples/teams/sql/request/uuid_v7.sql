create function request.uuid_v7()
returns uuid
language sql
volatile
parallel safe
as $$
  -- RFC 9562, section 5.7, with method 3 of section 6.2: 48 bits of milliseconds, then 12 bits
  -- of the fraction of the millisecond, so that ids sort in the order they are made.
  -- PostgreSQL has uuidv7() only since 18.
  select encode(
    int8send((us / 1000 << 16) | 28672 | (us % 1000 * 4096 / 1000))
      || substring(uuid_send(gen_random_uuid()) from 9),
    'hex'
  )::uuid
  from (select floor(extract(epoch from clock_timestamp()) * 1000000)::bigint) as clock (us)
$$;

comment on function request.uuid_v7() is
  'A new UUID, version 7, which sorts by creation time.';

grant execute on function request.uuid_v7() to authenticated;
