/** A table of the project: its key, its other columns, and whose policies it has. */
interface Table {
  readonly name: string;
  readonly key?: "uuid" | "bigint";
  readonly columns: string;
  /** SQL of who reaches a row; "" for a table whose policies stand below. */
  readonly rows: string;
}

const own = "auth.uid() = user_id";
const ownRow = "user_id uuid not null references auth.users on delete cascade";
const project = "project_id uuid not null references public.projects on delete cascade";
const inProject =
  "exists (select 1 from public.projects where projects.id = project_id and projects.user_id = (select auth.uid()))";

/** 25 tables as such projects have them: keys of one column, names in several styles, few indexes. */
const tables: readonly Table[] = [
  {
    name: "projects",
    columns: `${ownRow}, name text, "createdAt" timestamptz default now()`,
    rows: own,
  },
  { name: "tasks", columns: `${ownRow}, ${project}, title text, "order" int`, rows: own },
  {
    name: "comments",
    key: "bigint",
    columns: `${ownRow}, task_id uuid references public.tasks, body text`,
    rows: own,
  },
  { name: "labels", key: "bigint", columns: `${project}, name text, color text`, rows: inProject },
  {
    name: "task_labels",
    key: "bigint",
    columns: `${project}, label_id bigint references public.labels`,
    rows: inProject,
  },
  {
    name: "attachments",
    columns: `${ownRow}, task_id uuid references public.tasks, path text, size bigint`,
    rows: own,
  },
  {
    name: "customers",
    columns: `${ownRow}, "firstName" text, "lastName" text, phone text`,
    rows: own,
  },
  {
    name: "products",
    key: "bigint",
    columns: `${ownRow}, title text, price numeric(12, 2)`,
    rows: own,
  },
  {
    name: "orders",
    columns: `${ownRow}, customer_id uuid references public.customers, total numeric`,
    rows: own,
  },
  {
    name: "order_items",
    key: "bigint",
    columns: `${ownRow}, order_id uuid references public.orders, product_id bigint references public.products, quantity int`,
    rows: own,
  },
  {
    name: "invoices",
    columns: `${ownRow}, order_id uuid references public.orders, amount numeric, due_on date`,
    rows: own,
  },
  {
    name: "payments",
    columns: `${ownRow}, invoice_id uuid references public.invoices, amount numeric`,
    rows: own,
  },
  {
    name: "notifications",
    key: "bigint",
    columns: `${ownRow}, "readAt" timestamptz, data jsonb`,
    rows: own,
  },
  { name: "conversations", columns: `${ownRow}, topic text`, rows: own },
  {
    name: "messages",
    key: "bigint",
    columns: `${ownRow}, conversation_id uuid references public.conversations, body text`,
    rows: own,
  },
  {
    name: "events",
    key: "bigint",
    columns: `${ownRow}, starts_at timestamptz, "limit" int`,
    rows: own,
  },
  { name: "bookmarks", columns: `${ownRow}, url text`, rows: own },
  { name: "settings", columns: `${ownRow}, theme text default 'light'`, rows: own },
  { name: "feedback", key: "bigint", columns: `${ownRow}, rating int, body text`, rows: own },
  { name: "profiles", columns: "username text, phone text", rows: "auth.uid() = id" },
  { name: "teams", columns: "name text", rows: "private.can_edit(id)" },
  // What stands below is wrong with these.
  {
    name: "team_members",
    columns: `${ownRow}, team_id uuid references public.teams, role text`,
    rows: "",
  },
  { name: "contact_requests", key: "bigint", columns: "email text, body text", rows: "" },
  {
    name: "audit_log",
    key: "bigint",
    columns: "action text, at timestamptz default now()",
    rows: "",
  },
  { name: "documents", columns: `${ownRow}, title text, body text`, rows: own },
];

/** What a platform of this kind brings: the users, who is asking, and roles that have all grants. */
const platform = `
  create role anon nologin;
  create role authenticated nologin;
  create role service_role nologin bypassrls;
  create role authenticator login noinherit;
  grant anon, authenticated, service_role to authenticator;
  alter role authenticator set pgrst.db_schemas = 'public';
  alter role authenticator set pgrst.db_anon_role = 'anon';
  create schema auth;
  create table auth.users (id uuid primary key, email text);
  create function auth.uid() returns uuid language sql stable
    as $$ select nullif(current_setting('request.jwt.claims', true)::jsonb ->> 'sub', '')::uuid $$;
  grant usage on schema auth, public to anon, authenticated, service_role;
  alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
  alter default privileges in schema public grant all on functions to anon, authenticated, service_role;
  create schema private;
  grant usage on schema private to authenticated;
  create function private.can_edit(team uuid) returns boolean language sql stable security definer
    set search_path = '' as 'select true';
`;

/** Faults as people make them. */
const faults = `
  alter table public.audit_log disable row level security;
  create policy "Anyone can contact us" on public.contact_requests for insert with check (true);
  create policy "Members see members" on public.team_members for select
    using (team_id in (select team_id from public.team_members as mine where mine.user_id = auth.uid()));
  revoke execute on function private.can_edit from public;
  grant execute on function private.can_edit to authenticated;
  revoke select on public.profiles from authenticated;
  grant select (id, username) on public.profiles to authenticated;
  create view public.order_totals as select user_id, sum(total) from public.orders group by user_id;
  create function public.is_admin() returns boolean language sql stable security definer
    as 'select true';
  create function public.handle_new_user() returns trigger language plpgsql security definer
    set search_path = '' as $$ begin insert into public.profiles (id) values (new.id); return new; end $$;
  create trigger on_signup after insert on auth.users for each row execute function public.handle_new_user();
  create function public.take_stock(product bigint) returns void language plpgsql
    as $$ begin raise exception 'Sold out.' using errcode = '40001'; end $$;
`;

/** What lint has to find of it, as "rule object". */
export const seededFaults: readonly string[] = [
  "anonymous_writes public.audit_log",
  'anonymous_writes public.contact_requests."Anyone can contact us"',
  "column_grants public.profiles.phone",
  "definer_search_path public.is_admin()",
  "exposed_definer public.is_admin()",
  "policy_functions private.can_edit(uuid)",
  "policy_recursion public.team_members",
  "raised_errors public.take_stock(bigint)",
  "role_powers service_role",
  "row_security public.audit_log",
  "view_rights public.order_totals",
];

/** SQL of a whole project, for the superuser of an empty server. */
export function supabaseStyleSql(): string {
  return [platform, ...tables.map(writeTable), faults].join("\n");
}

function writeTable({ name, key = "uuid", columns, rows }: Table): string {
  const id =
    key === "uuid"
      ? "id uuid primary key default gen_random_uuid()"
      : "id bigint generated always as identity primary key";
  const policies = [
    ["see", "select", "using"],
    ["create", "insert", "with check"],
    ["update", "update", "using"],
    ["delete", "delete", "using"],
  ].map(
    ([verb, command, clause]) =>
      `create policy "Users can ${verb} ${name}" on public.${name} for ${command} ${clause} (${rows});`,
  );
  return [
    `create table public.${name} (${id}, ${columns});`,
    `alter table public.${name} enable row level security;`,
    ...(rows === "" ? [] : policies),
  ].join("\n");
}
