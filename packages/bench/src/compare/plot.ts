import { type ContestantName, contestants } from "./names.ts";
import type { Report } from "./report.ts";

const size = { label: 430, bar: 300, line: 26, margin: 16, heading: 34 };

/** The bars of one operation: a median for each, and from the least to the most as a thin line. */
export function drawOperation(report: Report, operation: string): string {
  const results = report.results
    .filter((one) => one.operation === operation && one.ratio !== null)
    .sort((a, b) => (b.ratio?.median ?? 0) - (a.ratio?.median ?? 0));
  const most = Math.max(1, ...results.map(({ ratio }) => ratio?.max ?? 0));
  const x = (ratio: number) => size.margin + size.label + (ratio / most) * size.bar;
  const title = `${operation}: requests per second, as multiples of Rowhouse's`;
  const lines = results.flatMap(({ contestant, ratio }, at) => {
    if (ratio === null) return [];
    const y = size.heading + size.margin + at * size.line;
    const fill = contestant === "rowhouse" ? "#1d7a46" : "#8fb3d9";
    const middle = y + 9;
    return [
      text(size.margin, y + 13, contestants[contestant as ContestantName]),
      `<rect x="${x(0)}" y="${y}" width="${round(x(ratio.median) - x(0))}" height="18" rx="2" fill="${fill}"/>`,
      `<path d="M${round(x(ratio.min))} ${middle}H${round(x(ratio.max))}" stroke="#1c2429"/>`,
      text(round(x(ratio.max)) + 8, y + 13, ratio.median.toFixed(2)),
    ];
  });
  const width = size.label + size.bar + 4 * size.margin + 30;
  const height = size.heading + 2 * size.margin + results.length * size.line;
  return frame(title, lines, width, height);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function text(x: number, y: number, content: string, attributes = ""): string {
  return `<text x="${x}" y="${y}"${attributes}>${escapeXml(content)}</text>`;
}

function escapeXml(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

function frame(title: string, body: string[], width: number, height: number): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title">`,
    `<title id="title">${escapeXml(title)}</title>`,
    "<style>text{font:12px ui-sans-serif,system-ui,sans-serif}</style>",
    `<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" fill="#ffffff" stroke="#c3ccd1"/>`,
    '<g fill="#1c2429">',
    text(size.margin, size.margin + 12, title, ' font-weight="bold"'),
    ...body,
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}
