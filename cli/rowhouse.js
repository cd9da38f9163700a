#!/usr/bin/env node
// Node 20 does not run TypeScript by itself: tsx is registered first, then the command is loaded.
import { register } from "tsx/esm/api";

register();
await import("./main.ts");
