import pg from "pg";
import { log } from "./log.ts";

/** Connections to the database. */
export function createPool(connectionString: string): pg.Pool {
  const pool = new pg.Pool({
    connectionString,
    max: 5,
    application_name: "rowhouse sign-in",
    connectionTimeoutMillis: 5_000,
  });
  // A connection that PostgreSQL ends while it is idle: the pool opens another when it is needed.
  pool.on("error", (error) => log(`lost a connection: ${error.message}`));
  return pool;
}
