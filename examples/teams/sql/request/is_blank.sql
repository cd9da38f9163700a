create function request.is_blank(value text)
returns boolean
language sql
immutable
parallel safe
as $$
  -- Spelled out: which characters [[:space:]] and \s match depends on the server's locale.
  select value !~ '[^\s\u0085\u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]'
$$;

comment on function request.is_blank(text) is
  'Whether a text is empty or only white space, of any kind.';

grant execute on function request.is_blank(text) to authenticated;
