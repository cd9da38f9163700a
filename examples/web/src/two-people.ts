import { find } from "./dom.ts";
import { mountList } from "./list.ts";
import { people } from "./people.ts";
import { mountReach } from "./reach.ts";

const reach = mountReach(find(document, ".reach", HTMLElement), people);
const lists = find(document, "#lists", HTMLElement);

for (const person of people) {
  mountList(lists, person, (tasks) => reach.show(person, tasks));
}
