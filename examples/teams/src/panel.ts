import { ApiError, type Tables } from "../client/index.ts";
import { element, find, onSubmit } from "./dom.ts";
import type { Person } from "./people.ts";

type Item = Tables<"list_items">;
type Member = Tables<"lists_members">;

/** What is shown of one person. */
export interface Panel {
  /** Asks the database again, and shows what it answers. */
  readonly refresh: () => Promise<void>;
}

/**
 * Shows the newest list that a person is a member of, with controls to change it.
 *
 * @param people All who are on the page: the API tells the ids of members, and no names.
 * @param changed Called after each change, so that the others see it.
 */
export function mountPanel(
  place: HTMLElement,
  person: Person,
  people: readonly Person[],
  changed: () => Promise<void>,
): Panel {
  const { db } = person;
  const copy = document.importNode(find(document, "#person", HTMLTemplateElement).content, true);
  const root = find(copy, "section", HTMLElement);
  const part = (selector: string) => find(root, selector, HTMLElement);
  const form = (selector: string) => find(root, `form${selector}`, HTMLFormElement);
  const problem = part(".problem");
  const made = part(".made");
  let list = "";
  /** How often the panel was refreshed. */
  let turn = 0;

  const showProblem = (error: unknown) => {
    if (!(error instanceof ApiError)) throw error;
    problem.textContent = [error.message, error.hint].filter(Boolean).join(" ");
  };

  /** Does what a control asks for, and shows the error if the database refuses. */
  const act = async (action: () => Promise<unknown>) => {
    problem.textContent = "";
    await action().catch(showProblem);
    // After a refusal, too: somebody else may have changed what is shown.
    await changed().catch(showProblem);
  };

  const button = (text: string, label: string, action: () => Promise<unknown>) =>
    element("button", { type: "button", ariaLabel: label, onclick: () => act(action) }, text);

  const itemRow = (item: Item) => {
    const { list_id, id, title, completed } = item;
    const key = { list_id, id };
    const box = element("input", { type: "checkbox", checked: completed });
    box.addEventListener("change", () =>
      act(() => db.list_items.update(key, { completed: box.checked })),
    );
    return element(
      "li",
      { className: "row" },
      element("label", { className: "task" }, box, element("span", { className: "title" }, title)),
      button("Delete", `Delete ${title}`, () => db.list_items.delete(key)),
    );
  };

  const memberRow = ({ group_id, user_id, role }: Member) => {
    const name = people.find(({ id }) => id === user_id)?.name ?? "Another user";
    const key = { group_id, user_id };
    const remove = () => db.lists_members.delete(key);
    const handOver = () => db.rpc("hand_over_list", { list_id: group_id, to_member: user_id });
    return element(
      "li",
      { className: "row" },
      element("span", {}, `${name}, ${role}`),
      ...(user_id === person.id
        ? [button("Leave", "Leave", remove)]
        : [
            button("Hand over", `Hand over to ${name}`, handOver),
            button("Remove", `Remove ${name}`, remove),
          ]),
    );
  };

  async function refresh(): Promise<void> {
    turn += 1;
    const mine = turn;
    const [shown] = (await db.lists.list({ limit: 1 })).items;
    const found = shown === undefined ? null : await readList(shown);
    // Another refresh began meanwhile: what that one finds is newer.
    if (mine === turn) show(found);
  }

  async function readList({ id, title }: Tables<"lists">) {
    const [items, members] = await Promise.all([
      db.list_items.list({ where: { list_id: id }, sort: [{ by: "created_at" }] }),
      db.lists_members.list({ where: { group_id: id }, sort: [{ by: "created_at" }] }),
    ]);
    return { id, title, items: items.items, members: members.items };
  }

  function show(found: Awaited<ReturnType<typeof readList>> | null): void {
    if (found?.id !== list) made.hidden = true;
    list = found?.id ?? "";
    part(".alone").hidden = found !== null;
    part(".shared").hidden = found === null;
    part(".role").textContent = "on no list";
    if (found === null) return;
    const { title, items, members } = found;
    part(".name").textContent = title;
    part(".role").textContent = members.find(({ user_id }) => user_id === person.id)?.role ?? "";
    part(".items").replaceChildren(...items.map(itemRow));
    part(".members").replaceChildren(...members.map(memberRow));
  }

  onSubmit(form(".create"), (values) =>
    act(() => db.lists.create({ title: String(values.get("title")) })),
  );
  onSubmit(form(".join"), (values) =>
    // The token is after the #, which browsers send to no server.
    act(() => db.rpc("join_list", { token: String(values.get("link")).replace(/^.*#/, "") })),
  );
  onSubmit(form(".add"), (values) =>
    act(async () => {
      await db.list_items.create({ list_id: list, title: String(values.get("title")) });
      form(".add").reset();
    }),
  );
  onSubmit(form(".invite"), (values) =>
    act(async () => {
      const role = String(values.get("role"));
      const token = await db.rpc("invite_to_list", { list_id: list, role });
      find(made, "output", HTMLOutputElement).value = `${location.origin}/#${token}`;
      made.hidden = false;
    }),
  );

  root.dataset.person = person.key;
  root.ariaLabel = person.name;
  part("h2").textContent = person.name;
  part(".initial").textContent = person.name.slice(0, 1);
  place.append(root);
  return { refresh };
}
