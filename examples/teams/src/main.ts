import "@rowhouse/example-web/src/style.css";
import "./style.css";
import { find } from "./dom.ts";
import { mountPanel, type Panel } from "./panel.ts";
import { signIn } from "./people.ts";

const place = find(document, "#people", HTMLElement);
const people = [await signIn("alice", "Alice"), await signIn("bob", "Bob")];

/** Only this page knows at once that something changed: PostgREST pushes nothing. */
async function refreshAll(): Promise<void> {
  await Promise.all(panels.map(({ refresh }) => refresh()));
}

const panels: readonly Panel[] = people.map((person) =>
  mountPanel(place, person, people, refreshAll),
);
await refreshAll();
