import { defaultClientConditions, defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  // Inside this repository the client is taken as it stands ("source" in its package.json), and
  // not as it was built last. An app that installs @rowhouse/client needs no such line.
  resolve: { conditions: ["source", ...defaultClientConditions] },
});
