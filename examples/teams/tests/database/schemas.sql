-- What holds for all that is about lists. The rest, which every project has, is tested at the top level.
begin;
set local search_path = tap, public;
select plan(5);

create temporary view our_functions as
select
  pg_proc.*,
  format('%s.%s', pronamespace::regnamespace, proname) as name
from pg_proc
where pronamespace in ('api'::regnamespace, 'request'::regnamespace, 'private'::regnamespace)
and proname ~ 'list';

select is(
  array(
    select concat_ws(' ', name, nullif(grantee, 0)::regrole)
    from our_functions
    cross join aclexplode(coalesce(proacl, acldefault('f', proowner)))
    where grantee <> proowner
    order by 1
  ),
  array[
    'api.hand_over_list authenticated',
    'api.invite_to_list authenticated',
    'api.join_list authenticated',
    'request.is_member_of_lists authenticated'
  ],
  'Users may execute these functions, and no other role any'
);

select is(
  array(select name from our_functions where prosecdef),
  array['request.is_member_of_lists'],
  'One function acts with the rights of its owner: it asks whether the caller is a member'
);

select is_empty(
  $$select name from our_functions where not ('search_path=""' = any (coalesce(proconfig, '{}')))$$,
  'Every function has an empty search path'
);

select is_empty(
  $$select tgrelid::regclass, tgname from pg_trigger where tgenabled <> 'O'$$,
  'No trigger is disabled'
);

select is(
  array(
    select concat_ws(
      ' ',
      format('%s.%s', tablename, policyname),
      lower(permissive),
      'for',
      lower(cmd),
      'to',
      roles,
      case when qual is not null then 'using' end,
      case when with_check = qual then 'with the same check' when with_check is not null then 'with check' end
    )
    from pg_policies
    where tablename in ('list_items', 'lists_invitations')
    order by tablename, policyname
  ),
  array[
    'list_items.delete_editors permissive for delete to {authenticated} using',
    'list_items.insert_editors permissive for insert to {authenticated} with check',
    'list_items.select_members permissive for select to {authenticated} using',
    'list_items.update_editors permissive for update to {authenticated} using with the same check',
    'lists_invitations.delete_owners_or_invited permissive for delete to {authenticated} using',
    'lists_invitations.insert_owners permissive for insert to {authenticated} with check',
    'lists_invitations.select_owners_or_invited permissive for select to {authenticated} using'
  ],
  'Each command has one policy, for authenticated alone'
);

select * from finish();
rollback;
