import { decrypt, encrypt, versionedSecrets } from "./secrets.ts";
import type { KeyContext } from "./signing-keys.ts";

/** Where encrypted values are. */
const columns = [
  ["signing_keys", "private_key"],
  ["two_factors", "secret"],
  ["two_factors", "backup_codes"],
  ["accounts", "access_token"],
  ["accounts", "refresh_token"],
  ["accounts", "id_token"],
] as const;

type Column = (typeof columns)[number];

/** What became of values that an older secret had encrypted. */
interface Renewal {
  readonly renewed: number;
  /** Those that no secret decrypts. */
  readonly unreadable: number;
}

const batch = 500;

/** Encrypts with the newest secret what older ones have encrypted, so that they can go. */
export async function renewEncryption(context: KeyContext): Promise<Renewal> {
  let [renewed, unreadable] = [0, 0];
  for (const column of columns) {
    let after = "00000000-0000-0000-0000-000000000000";
    for (;;) {
      const rows = await readOld(context, column, after);
      for (const row of rows) {
        if (await renewRow(context, column, row)) renewed += 1;
        else unreadable += 1;
      }
      after = rows.at(-1)?.id ?? after;
      if (rows.length < batch) break;
    }
  }
  return { renewed, unreadable };
}

interface Row {
  readonly id: string;
  readonly value: string;
}

/** Values begin with "$ba$<version>$"; that of a signing key is a JSON string. */
async function readOld(
  { pool, settings }: KeyContext,
  [table, column]: Column,
  after: string,
): Promise<Row[]> {
  const newest = `$ba$${versionedSecrets(settings)[0]?.version}$`;
  const { rows } = await pool.query<Row>(
    `select id, ${column} as value
     from identity.${table}
     where id > $1
     and starts_with(ltrim(${column}, '"'), '$ba$')
     and not starts_with(ltrim(${column}, '"'), $2)
     order by id
     limit ${batch}`,
    [after, newest],
  );
  return rows;
}

async function renewRow(
  { pool, settings }: KeyContext,
  [table, column]: Column,
  { id, value }: Row,
): Promise<boolean> {
  const isJson = value.startsWith('"');
  let data: string;
  try {
    data = await decrypt(settings, isJson ? JSON.parse(value) : value);
  } catch {
    return false;
  }
  const encrypted = await encrypt(settings, data);
  // Unless the service has written another one meanwhile.
  await pool.query(`update identity.${table} set ${column} = $3 where id = $1 and ${column} = $2`, [
    id,
    value,
    isJson ? JSON.stringify(encrypted) : encrypted,
  ]);
  return true;
}
