select
  array(
    select name
    from unnest($1::text[]) as served (name)
    where to_regnamespace(quote_ident(name)) is null
  ) as schemas,
  $2::text is not null and to_regrole(quote_ident($2)) is null as anon_role,
  $3::text is not null and to_regprocedure($3::text || '()') is null as pre_request
