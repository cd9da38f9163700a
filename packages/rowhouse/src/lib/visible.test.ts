import { expect, onTestFinished, test, vi } from "vitest";
import { note, noteIfSlow, print, printExactly } from "./output.ts";
import { visible } from "./visible.ts";

const control = (code: number) => String.fromCharCode(code);

test("what other people wrote does nothing to a terminal", () => {
  expect(visible(`a${control(27)}]0;owned${control(7)}b${control(0x9b)}2J`)).toBe(
    "a\\u001b]0;owned\\u0007b\\u009b2J",
  );
  expect(visible(`over${"\r"}written${control(8)}`)).toBe("over\\u000dwritten\\u0008");
  expect(visible(`abc${control(0x202e)}cba`)).toBe("abc\\u202ecba");
  expect(visible(`${control(0x2066)}abc${control(0x2069)}`)).toBe("\\u2066abc\\u2069");
});

/** What is written to an output from now on, until the test ends. */
function captureOutput(stream: NodeJS.WriteStream): string[] {
  const texts: string[] = [];
  const spy = vi.spyOn(stream, "write").mockImplementation((text) => texts.push(String(text)) > 0);
  onTestFinished(() => spy.mockRestore());
  return texts;
}

test("nothing else is printed, but into a pipe that wants every byte", () => {
  const [out, err] = [captureOutput(process.stdout), captureOutput(process.stderr)];
  const [colour, shown] = [`${control(27)}[31m`, "\\u001b[31m\n"];
  const isTTY = process.stdout.isTTY;
  onTestFinished(() => void Object.assign(process.stdout, { isTTY }));
  print(colour);
  note(colour);
  for (const terminal of [true, false]) {
    Object.assign(process.stdout, { isTTY: terminal });
    printExactly(colour);
  }
  expect(out).toEqual([shown, shown, `${colour}\n`]);
  expect(err).toEqual([shown]);
});

test("work that takes two seconds is reported, once, and shorter work is not", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const output = captureOutput(process.stderr);
  await noteIfSlow("Still working ...", Promise.resolve());
  expect(vi.getTimerCount()).toBe(0);
  let end = () => {};
  const work = noteIfSlow("Still working ...", new Promise<void>((resolve) => (end = resolve)));
  vi.advanceTimersByTime(1999);
  expect(output).toEqual([]);
  vi.advanceTimersByTime(60_000);
  end();
  await work;
  expect(output).toEqual(["Still working ...\n"]);
});

test("what belongs to a text stays", () => {
  const text = "a\tb\r\nñ 日本 🎉 \u200d";
  expect(visible(text)).toBe(text);
});
