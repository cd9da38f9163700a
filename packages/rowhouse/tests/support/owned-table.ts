/** What differs from a plain owned table. */
interface Variation {
  /** Further columns and constraints, as SQL. */
  readonly columns?: string;
  /** The columns that users may write; those that they may read are all of them. */
  readonly insert?: string;
  readonly update?: string;
  readonly delete?: false;
  readonly id?: string;
  readonly owner?: string;
}

/** SQL for an owned table of the schema api with a policy for each command. */
export function ownedTable(name: string, variation: Variation = {}): string {
  const {
    columns = "body text not null",
    insert = "body",
    update = insert,
    id = "id uuid not null default request.uuid_v7()",
    owner = "user_id",
  } = variation;
  const own = `${owner} = request.user_id()`;
  return `
    create table api.${name} (
      ${owner} uuid not null default request.user_id() references api.users (id) on delete cascade,
      ${id},
      ${columns},
      primary key (${owner}, id)
    );
    alter table api.${name} enable row level security;
    alter table api.${name} force row level security;
    grant select on api.${name} to authenticated;
    grant insert (${owner}, id, ${insert}) on api.${name} to authenticated;
    ${update === "" ? "" : `grant update (${owner}, id, ${update}) on api.${name} to authenticated;`}
    ${variation.delete === false ? "" : `grant delete on api.${name} to authenticated;`}
    create policy select_own on api.${name} for select to authenticated using (${own});
    create policy insert_own on api.${name} for insert to authenticated with check (${own});
    create policy update_own on api.${name} for update to authenticated using (${own}) with check (${own});
    create policy delete_own on api.${name} for delete to authenticated using (${own});
  `;
}
