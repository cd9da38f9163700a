import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { mutantId } from "../../src/access/mutants/equivalents.ts";
import { generateMutants } from "../../src/access/mutants/generate.ts";
import { type Mutant, mutantTitle } from "../../src/access/mutants/mutant.ts";
import { allKilled, report, reportForPrograms } from "../../src/access/mutants/report.ts";
import { runMutants } from "../../src/access/mutants/run.ts";
import { tryMutant } from "../../src/access/mutants/trial.ts";
import { inDatabase, withClient } from "../../src/stack/database.ts";
import { cloneDatabase, testScratch } from "../../src/testing/database.ts";
import { pgtapFiles } from "../../src/testing/pgtap.ts";

/** All mutants of the schema as it is. */
let mutants: Mutant[];

beforeAll(async () => {
  mutants = await withClient(await cloneDatabase(), generateMutants);
});

/** Clones of the migrated database, and some of the pgTAP files. */
function createTestBed(files: readonly string[]) {
  const template = inDatabase(inject("serverUrl"), inject("pgtapTemplate"));
  return { scratch: testScratch(), template, files };
}

/** The project's own pgTAP files of these names. */
function ours(...names: string[]): string[] {
  return pgtapFiles().filter((file) => names.includes(basename(file)));
}

/** A pgTAP file of one statement; it ends with the test. */
function pgtapFile(name: string, statement: string): string {
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-pgtap-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const file = join(dir, name);
  writeFileSync(
    file,
    `begin; set local search_path = tap, public; select plan(1); ${statement}; rollback;`,
  );
  return file;
}

/** The one mutant of that title. */
function mutant(title: string): Mutant {
  const [found, ...more] = mutants.filter((one) => mutantTitle(one) === title);
  if (found === undefined || more.length > 0) throw new Error(`${1 + more.length} of ${title}`);
  return found;
}

describe("a run of mutants", () => {
  test("names what killed a mutant, and prints a survivor with its SQL", async () => {
    const noticed = mutant("update_own on api.tasks: with check (true)");
    const missed = mutant("api.users: FORCE off");
    const verdicts = await runMutants(createTestBed(ours("policies.tasks.sql", "me.sql")), [
      missed,
      noticed,
    ]);
    expect(verdicts).toEqual([
      { mutant: missed, outcome: "survived", killedBy: null, reason: null },
      {
        mutant: noticed,
        outcome: "killed",
        killedBy: { file: "policies.tasks.sql", assertion: expect.stringMatching(/^Alice cannot/) },
        reason: null,
      },
    ]);
    expect(allKilled(verdicts)).toBe(false);
    const text = report(verdicts).join("\n");
    expect(text).toContain(`survived: api.users: FORCE off [${mutantId(missed)}]\n${missed.sql}\n`);
    expect(text).toMatch(/^FORCE off +0 +1 +1$/m);
    expect(text).toMatch(/1 of 2 killed: 50 %$/);
    expect(reportForPrograms(verdicts)).toMatchObject({ total: 2, killed: 1, survived: 1 });
  });

  test("runs first the file that is named after the weakened object", async () => {
    const files = ours("schemas.sql", "policies.tasks.sql").reverse();
    expect(files.map((file) => basename(file))).toEqual(["schemas.sql", "policies.tasks.sql"]);
    const verdict = await tryMutant(createTestBed(files), mutant("api.tasks: RLS off"));
    expect(verdict.killedBy?.file).toBe("policies.tasks.sql");
  });

  test("is refused while a pgTAP file is red without any mutant", async () => {
    const files = [
      pgtapFile("green.sql", "select pass('Bob is fine')"),
      pgtapFile("red.sql", "select ok(false, 'Alice is tall')"),
      pgtapFile("broken.sql", "select 1 / 0"),
    ];
    const run = runMutants(createTestBed(files), [mutant("api.users: RLS off")]);
    await expect(run).rejects.toMatchObject({
      code: "tests_red",
      message: expect.stringMatching(
        /red\.sql: Alice is tall\n.*broken\.sql: error: division by zero$/,
      ),
    });
  });

  test("counts an error of a test as killed, and one of the server never", async () => {
    const sound = { kind: "none", object: "nothing", sql: "", undo: null };
    const attempt = (statement: string) =>
      tryMutant(createTestBed([pgtapFile("file.sql", statement)]), sound);
    expect(await attempt("select 1 / 0")).toMatchObject({
      outcome: "killed",
      killedBy: { file: "file.sql", assertion: "error: division by zero" },
    });
    expect(await attempt("select ok(false, 'Alice is tall'); select 1 / 0")).toMatchObject({
      killedBy: { file: "file.sql", assertion: "Alice is tall" },
    });
    const bringUp = (state: string) => attempt(`do $$ begin raise sqlstate '${state}'; end $$`);
    for (const verdict of await Promise.all(["40P01", "53300", "57014", "XX000"].map(bringUp))) {
      expect(verdict).toMatchObject({ outcome: "failed", killedBy: null });
    }
    const gone = "select pg_terminate_backend(pg_backend_pid())";
    expect(await attempt(gone)).toMatchObject({ outcome: "failed" });
    const lockRetries = "select is(current_setting('statement_timeout'), '1min', 'No test hangs')";
    expect(await attempt(lockRetries)).toMatchObject({ outcome: "survived" });
  });

  test("runs a file again that lost a race for a lock", async () => {
    // A sequence counts on where a transaction is undone.
    const raceOnce = `
      do $$ begin if nextval('public.tries') = 1 then raise sqlstate '40P01'; end if; end $$;
      select pass('Alice is through')
    `;
    const verdict = await tryMutant(createTestBed([pgtapFile("race.sql", raceOnce)]), {
      kind: "none",
      object: "nothing",
      sql: "create sequence public.tries",
      undo: null,
    });
    expect(verdict).toMatchObject({ outcome: "survived" });
  });

  test("fails a trial where a file that keeps something lost such a race", async () => {
    const keeps = `
      create table public.kept (id int); commit; begin;
      do $$ begin if nextval('public.tries') = 1 then raise sqlstate '40P01'; end if; end $$
    `;
    const verdict = await tryMutant(createTestBed([pgtapFile("keeps.sql", keeps)]), {
      kind: "none",
      object: "nothing",
      sql: "create sequence public.tries",
      undo: null,
    });
    expect(verdict).toMatchObject({ outcome: "failed", killedBy: null });
  });

  test("reports a mutant that cannot be created, and does not count it as killed", async () => {
    const wrong = {
      kind: "RLS off",
      object: "api.gone",
      sql: "alter table api.gone x",
      undo: null,
    };
    const [verdict, ...more] = await runMutants(createTestBed(ours("me.sql")), [wrong]);
    expect(more).toEqual([]);
    expect(verdict).toMatchObject({ outcome: "failed", killedBy: null });
    const verdicts = verdict ? [verdict] : [];
    expect(allKilled(verdicts)).toBe(false);
    expect(report(verdicts).join("\n")).toMatch(
      /could not be tried: api\.gone: RLS off \[\w{8}\] \(syntax error .*\)\nalter table api\.gone x\n\n0 of 1 killed: 0 %$/,
    );
  });

  test("names what nothing can tell from the original, and does not count it", async () => {
    const known = mutants.filter(({ equivalent }) => equivalent);
    expect(known.map(({ object }) => object)).toEqual(Array(3).fill("temporary tables"));
    const missed = mutant("api.users: FORCE off");
    const noticed = mutant("api.tasks: RLS off");
    const declare = (one: Mutant) =>
      `-- equivalent mutant ${mutantId(one)}: The owner is a superuser.`;
    const declaring = pgtapFile("declares.sql", `select pass('x');\n${declare(missed)}\nselect 1`);
    const verdicts = await runMutants(createTestBed([declaring]), [...known, missed]);
    expect(verdicts.map(({ outcome }) => outcome)).toEqual(Array(4).fill("equivalent"));
    expect(allKilled(verdicts)).toBe(true);
    const text = report(verdicts).join("\n");
    expect(text).toContain("equivalent: api.users: FORCE off");
    expect(text).toContain("(The owner is a superuser.)");
    expect(text).toMatch(/0 of 0 killed \(4 equivalent mutants not counted\): 100 %$/);
    expect(reportForPrograms(verdicts)).toMatchObject({ equivalent: 4, survived: 0 });
    const wrong = pgtapFile("wrong.sql", `select pass('x');\n${declare(noticed)}\nselect 1`);
    const refuted = await runMutants(createTestBed([...ours("policies.tasks.sql"), wrong]), [
      noticed,
    ]);
    expect(refuted).toMatchObject([
      { outcome: "failed", reason: expect.stringContaining("but policies.tasks.sql notices it") },
    ]);
    expect(allKilled(refuted)).toBe(false);
  });

  test("tries those of roles last, and undoes what outlives a copy", async () => {
    const role = `mutant_${randomBytes(4).toString("hex")}`;
    const stronger = {
      kind: "stronger role",
      object: role,
      sql: `create role ${role} bypassrls`,
      undo: `drop role ${role}`,
    };
    const seen = pgtapFile("seen.sql", `select hasnt_role('${role}', 'Nobody is a mutant')`);
    expect(await tryMutant(createTestBed([seen]), stronger)).toMatchObject({ outcome: "killed" });
    const sound = { ...stronger, sql: "", undo: null };
    expect(await tryMutant(createTestBed([seen]), sound)).toMatchObject({ outcome: "survived" });
    const heard: string[] = [];
    await runMutants(createTestBed(ours("me.sql")), [stronger, sound], (verdict) =>
      heard.push(verdict.outcome === "survived" ? String(verdict.mutant.undo) : "not tried"),
    );
    expect(heard).toEqual(["null", stronger.undo]);
    for (const { sql, undo } of mutants) {
      expect(undo !== null, sql).toBe(/^(alter role|grant \S+ to \S+;)/.test(sql));
    }
  });
});
