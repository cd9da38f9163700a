// PostGraphile with row-level security.
import { createServer } from "node:http";
import pg from "pg";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { report } from "./listening.js";
import { readClaims } from "./token.js";

const pool = new pg.Pool({ max: 10 });

/** @type {GraphileConfig.Preset} */
const preset = {
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ pool, schemas: ["api"] })],
  grafserv: { graphiql: false, watch: false },
  grafast: {
    context({ node }) {
      const claims = readClaims(node?.req.headers.authorization);
      return {
        pgSettings: { role: "authenticated", "request.jwt.claims": JSON.stringify(claims) },
      };
    },
  },
};

const server = createServer();
await postgraphile(preset).createServ(grafserv).addTo(server);
server.listen(0, "127.0.0.1", () => report(server.address().port));
