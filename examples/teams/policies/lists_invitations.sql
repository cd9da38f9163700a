-- Owners invite: api.invite_to_list() makes a token, of which only the SHA-256 stays here. Whoever
-- brings the token is shown the invitation by api.join_list(), which uses it up.
alter table api.lists_invitations enable row level security;
alter table api.lists_invitations force row level security;

comment on table api.lists_invitations is
  'Invitations that are open. A user sees those to the lists that they own.';
comment on column api.lists_invitations.list_id is
  'The list.';
comment on column api.lists_invitations.id is
  'A UUID, version 7. The database makes it.';
comment on column api.lists_invitations.role is
  'The role that the invited user gets: owner, editor or viewer. Default: viewer.';
comment on column api.lists_invitations.invited_by is
  'The owner who invited. Their invitations end when they stop to be one.';
comment on column api.lists_invitations.token_hash is
  'The SHA-256 of the token, in hexadecimal digits. The token itself is in the link alone.';
comment on column api.lists_invitations.expires_at is
  'Until when the token counts: 7 days.';

grant
  select (list_id, id, role, invited_by, token_hash, expires_at),
  insert (list_id, role, token_hash),
  delete
on api.lists_invitations to authenticated;

create policy select_owners_or_invited on api.lists_invitations
for select to authenticated
using (
  list_id = any (array(
    select group_id
    from api.lists_members
    where user_id = (select request.user_id())
    and role = 'owner'
  ))
  or token_hash = current_setting('request.invitation', true)
);

comment on policy select_owners_or_invited on api.lists_invitations is
  'Owners see the invitations to their lists, and who brings a token the one that it belongs to.';

create policy insert_owners on api.lists_invitations
for insert to authenticated
with check (request.is_member_of_lists(list_id, 'owner'));

comment on policy insert_owners on api.lists_invitations is
  'Owners invite, in their own name.';

create policy delete_owners_or_invited on api.lists_invitations
for delete to authenticated
using (
  request.is_member_of_lists(list_id, 'owner')
  or token_hash = current_setting('request.invitation', true)
);

comment on policy delete_owners_or_invited on api.lists_invitations is
  'Owners take invitations back, and who brings a token uses it up.';
