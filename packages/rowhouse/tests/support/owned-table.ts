/** What differs from a plain owned table. */
interface Variation {
  /** Further columns and constraints, as SQL. */
  readonly columns?: string;
  /** The columns that users may write; those that they may read are all of them. */
  readonly insert?: string;
  readonly update?: string;
  readonly delete?: false;
  readonly id?: string;
  /** The name of that column. */
  readonly idName?: string;
  readonly owner?: string;
  /** "api" unless it is given. */
  readonly schema?: string;
}

/** SQL for an owned table with a policy for each command; names are as SQL writes them. */
export function ownedTable(name: string, variation: Variation = {}): string {
  const {
    columns = "body text not null",
    insert = "body",
    update = insert,
    idName = "id",
    id = `${idName} uuid not null default request.uuid_v7()`,
    owner = "user_id",
    schema = "api",
  } = variation;
  const table = `${schema}.${name}`;
  const own = `${owner} = request.user_id()`;
  return `
    create table ${table} (
      ${owner} uuid not null default request.user_id() references api.users (id) on delete cascade,
      ${id},
      ${columns},
      primary key (${owner}, ${idName})
    );
    alter table ${table} enable row level security;
    alter table ${table} force row level security;
    grant select on ${table} to authenticated;
    grant insert (${owner}, ${idName}, ${insert}) on ${table} to authenticated;
    ${update === "" ? "" : `grant update (${owner}, ${idName}, ${update}) on ${table} to authenticated;`}
    ${variation.delete === false ? "" : `grant delete on ${table} to authenticated;`}
    create policy select_own on ${table} for select to authenticated using (${own});
    create policy insert_own on ${table} for insert to authenticated with check (${own});
    create policy update_own on ${table} for update to authenticated using (${own}) with check (${own});
    create policy delete_own on ${table} for delete to authenticated using (${own});
  `;
}
