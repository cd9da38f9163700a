#!/usr/bin/env node
import { bundled } from "./bundle.js";

if (process.env.ROWHOUSE_DEBUG) process.setSourceMapsEnabled(true);
await import(await loadable());

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
