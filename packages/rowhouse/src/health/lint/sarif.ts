import { createHash } from "node:crypto";
import { version } from "../../lib/version.ts";
import type { Place } from "../../schema/catalog/places.ts";
import type { Finding, Rule } from "./rule.ts";

/** Where an object is declared; undefined when no file is known to. */
export type FindPlace = (object: string) => Place | undefined;

/**
 * Findings as SARIF 2.1.0, which code hosts show beside the lines of a change.
 *
 * @param rules All that a finding can be of.
 */
export function toSarif(
  findings: readonly Finding[],
  rules: readonly Rule[],
  findPlace: FindPlace,
) {
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: { name: "rowhouse lint", version: version(), rules: rules.map(toDescriptor) },
        },
        results: findings.map((finding) => toResult(finding, rules, findPlace)),
      },
    ],
  };
}

function toDescriptor({ name, level, why, remedy, cost }: Rule) {
  return {
    id: name,
    shortDescription: { text: why },
    help: { text: `${remedy}\n\nOn a project that was not made with Rowhouse: ${cost}` },
    defaultConfiguration: { level },
  };
}

function toResult(finding: Finding, rules: readonly Rule[], findPlace: FindPlace) {
  const { rule, level, object, findings } = finding;
  const place = findPlace(object);
  const physicalLocation = place && {
    artifactLocation: { uri: encodeURI(place.file), uriBaseId: "%SRCROOT%" },
    region: { startLine: place.line },
  };
  return {
    ruleId: rule,
    ruleIndex: rules.findIndex(({ name }) => name === rule),
    level,
    message: { text: `${object}: ${findings.join("; ")}. ${finding.do}` },
    locations: [
      {
        ...(physicalLocation && { physicalLocation }),
        logicalLocations: [{ fullyQualifiedName: object }],
      },
    ],
    partialFingerprints: { "rowhouse/v1": fingerprint([rule, object, ...findings]) },
  };
}

function fingerprint(parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
