import { join } from "node:path";
import { defineConfig } from "vite";

const root = import.meta.dirname;
const input = ["index.html", "two-people.html"].map((page) => join(root, page));

export default defineConfig({ root, build: { rollupOptions: { input } } });
