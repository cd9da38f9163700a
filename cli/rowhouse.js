#!/usr/bin/env node
import { bundled } from "./bundle.js";

if (process.env.ROWHOUSE_DEBUG) process.setSourceMapsEnabled(true);
try {
  await import(await loadable());
} catch (error) {
  if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
  process.stderr.write(
    `error ${error.message}\nRun \`npm install\` in the project's folder first.\n`,
  );
  process.exitCode = 1;
}

/** The bundle; where none can be written, the sources, transformed one by one. */
async function loadable() {
  try {
    return await bundled();
  } catch (error) {
    if (!["EACCES", "EPERM", "EROFS"].includes(error.code)) throw error;
    const { register } = await import("tsx/esm/api");
    register();
    return "./main.ts";
  }
}
