create table api.lists_invitations (
  list_id uuid not null,
  id uuid not null default request.uuid_v7(),
  role text not null default 'viewer',
  invited_by uuid not null default request.user_id(),
  token_hash text not null,
  expires_at timestamptz not null default now() + interval '7 days',
  constraint lists_invitations_pkey primary key (list_id, id),
  constraint lists_invitations_token_hash unique (token_hash),
  -- An owner who leaves takes their invitations along: else they could come back by one.
  constraint lists_invitations_invited_by_fkey foreign key (list_id, invited_by) references api.lists_members (group_id, user_id) on delete cascade,
  constraint lists_invitations_role check (role in ('owner', 'editor', 'viewer')),
  constraint lists_invitations_token_hash_form check (token_hash ~ '^[0-9a-f]{64}$')
);

create index lists_invitations_invited_by on api.lists_invitations (list_id, invited_by);

create trigger keep_inviter
before insert on api.lists_invitations
for each row
execute function private.keep_inviter_of_lists();

create trigger limit_deleted_rows
after delete on api.lists_invitations
referencing old table as old_rows
for each statement
when (pg_trigger_depth() = 0)
execute function private.limit_affected_rows();
