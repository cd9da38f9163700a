import { type AccessModel, type ApiRole, verbs } from "../model/model.ts";
import { type Cell, formatCell, getCallCell, getCell, type Reach } from "./cells.ts";
import { xmlText } from "./escape.ts";
import { textWidth, wrap } from "./wrap.ts";

/** Sizes in pixels: of the widest common fonts of fixed width, a character of 12 px takes 7.3. */
const size = {
  margin: 20,
  label: 84,
  character: 7.4,
  nameCharacter: 8.7,
  line: 17,
  padding: 8,
  gap: 4,
  heading: 40,
};

/** As far as the legend goes. */
const legendWidth = 560;

/** How many columns of text a cell has, and how many lines. */
const least = 14;
const most = { columns: 44, lines: 5, name: 62 };

const looks: Record<Reach, { fill: string; ink: string; meaning: string }> = {
  closed: { fill: "#eceff1", ink: "#46525a", meaning: "closed" },
  some: { fill: "#d3efdc", ink: "#0b4a28", meaning: "rows that pass a condition" },
  every: { fill: "#ffd9b8", ink: "#6b2a00", meaning: "every row" },
  callable: { fill: "#d6e4fb", ink: "#123a75", meaning: "may call it" },
};

/** A line of the picture: what is done, and a cell for each role. */
interface Row {
  readonly label: string;
  readonly cells: readonly Cell[];
}

/** A table or function, and what can be done with it. */
interface Section {
  readonly name: string;
  readonly rows: readonly Row[];
}

/** The picture of who can do what: a column for each role, a row for each verb of each table. */
export function accessPicture(model: AccessModel): string {
  const sections = listSections(model);
  const { roles } = model.names;
  const columns = columnWidths(sections, roles);
  const body: string[] = [];
  let y = size.margin + size.line + size.gap;
  for (const section of sections) {
    body.push(heading(section.name, y + 27));
    y += size.heading;
    for (const row of section.rows) {
      const height = rowHeight(row);
      body.push(...drawRow(row, y, height, columns));
      y += height + size.gap;
    }
  }
  body.push(...legend(y + 14));
  const right = (columns.at(-1)?.x ?? 0) + (columns.at(-1)?.width ?? 0);
  const names = sections.map(({ name }) => textWidth(shortName(name)) * size.nameCharacter);
  const width = Math.ceil(Math.max(right, legendWidth, ...names.map((name) => name + size.margin)));
  const drawing = [...roleNames(columns, roles), ...body];
  return frame(listSentences(sections, roles), drawing, width + size.margin, y + 52);
}

function listSections({ names, relations, functions }: AccessModel): Section[] {
  const { roles, schemas } = names;
  return [
    ...relations.map((relation) => ({
      name: relation.fullName,
      rows: verbs.map((verb) => ({
        label: verb,
        cells: roles.map((role) => getCell(relation, role, verb)),
      })),
    })),
    ...functions
      .filter(({ schema }) => schemas.includes(schema))
      .map((one) => ({
        name: one.signature,
        rows: [{ label: "call", cells: roles.map((role) => getCallCell(one, role)) }],
      })),
  ];
}

interface Column {
  readonly x: number;
  readonly width: number;
}

/** As wide as the longest text of a role needs, within limits. */
function columnWidths(sections: readonly Section[], roles: readonly ApiRole[]): Column[] {
  let x = size.margin + size.label;
  return roles.map((_, index) => {
    const cells = sections.flatMap(({ rows }) => rows.map(({ cells }) => cells[index]));
    const longest = cells.map((cell) => (cell ? textWidth(formatCell(cell)) : 0));
    const columns = Math.min(Math.max(least, ...longest), most.columns);
    const column = { x, width: Math.ceil(columns * size.character) + 2 * size.padding };
    x += column.width + size.gap;
    return column;
  });
}

function wrapCell(cell: Cell): string[] {
  return wrap(formatCell(cell), most.columns, most.lines);
}

function rowHeight({ cells }: Row): number {
  return Math.max(...cells.map((cell) => wrapCell(cell).length)) * size.line + 2 * size.padding - 4;
}

function drawRow({ label, cells }: Row, y: number, height: number, columns: Column[]): string[] {
  const baseline = y + size.padding + 11;
  return [
    text(size.margin, baseline, label, `class="verb"`),
    ...cells.flatMap((cell, index) => {
      const { x, width } = columns[index] ?? { x: 0, width: 0 };
      return [
        `<g fill="${looks[cell.reach].ink}">`,
        `<title>${xmlText(formatCell(cell))}</title>`,
        `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="4" fill="${looks[cell.reach].fill}"/>`,
        ...wrapCell(cell).map((line, number) =>
          text(x + size.padding, baseline + number * size.line, line),
        ),
        "</g>",
      ];
    }),
  ];
}

function roleNames(columns: readonly Column[], roles: readonly ApiRole[]): string[] {
  return roles.map((role, index) =>
    text((columns[index]?.x ?? 0) + size.padding, size.margin + 14, role, `class="role"`),
  );
}

function heading(name: string, y: number): string {
  return text(size.margin, y, shortName(name), `class="name"`);
}

function shortName(name: string): string {
  return wrap(name, most.name, 1).join("");
}

function legend(y: number): string[] {
  let x = size.margin;
  return Object.values(looks).flatMap(({ fill, meaning }) => {
    const drawn = [
      `<rect x="${x}" y="${y}" width="14" height="14" rx="3" fill="${fill}" stroke="#8a969e"/>`,
      text(x + 20, y + 11, meaning),
    ];
    x += 44 + Math.ceil(textWidth(meaning) * size.character);
    return drawn;
  });
}

function text(x: number, y: number, content: string, attributes = ""): string {
  const space = attributes && " ";
  return `<text x="${x}" y="${y}"${space}${attributes}>${xmlText(content)}</text>`;
}

/** The picture in words. */
function listSentences(sections: readonly Section[], roles: readonly ApiRole[]): string[] {
  return sections.flatMap(({ name, rows }) =>
    rows.flatMap(({ label, cells }) =>
      roles.map((role, index) => {
        const cell = cells[index];
        return `${name}, ${label}, ${role}: ${cell ? formatCell(cell) : ""}.`;
      }),
    ),
  );
}

function frame(sentences: string[], body: string[], width: number, height: number): string {
  const font = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace";
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title desc">`,
    '<title id="title">Who can do what</title>',
    `<desc id="desc">${xmlText(sentences.join(" "))}</desc>`,
    `<style>text{font:12px ${font}}.role{font-weight:bold}.name{font-weight:bold;font-size:14px}.verb{fill:#46525a}</style>`,
    `<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" fill="#ffffff" stroke="#c3ccd1"/>`,
    '<g fill="#1c2429">',
    ...body,
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}
