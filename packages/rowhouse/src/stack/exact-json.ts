import pg from "pg";
import { parseJson } from "../lib/json.ts";

const jsonTypes: readonly number[] = [pg.types.builtins.JSON, pg.types.builtins.JSONB];

/** For queries whose JSON holds values of a project's rows: parses it by parseJson. */
export const exactJson: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: "text") =>
    jsonTypes.includes(oid)
      ? parseJson
      : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};
