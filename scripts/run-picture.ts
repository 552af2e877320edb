/**
 * Writes the picture at the top of `README.md`: `bun scripts/run-picture.ts`. It shows what
 * `spanring run` prints on a terminal, from its sources, for a fixed trace. A test compares the
 * file with the output.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fixedTrace } from "./picture/fixed-trace.ts";
import { terminalSvg } from "./picture/terminal-svg.ts";

const ROOT = resolve(import.meta.dir, "..");
const MAIN = join(ROOT, "src/main.ts");

export const RUN_PICTURE = join(ROOT, ".github/run.svg");

const COLUMNS = 96;
const EXPECTATION = "name=charge card & status=ok";

/** Returns the picture: the command, and what it prints. */
export async function runPicture(): Promise<string> {
  const command = `$ spanring run --expect '${EXPECTATION}' -- npm test`;
  const text = await outputOfRun();
  return terminalSvg(`${command}\n${text}`, {
    columns: COLUMNS,
    title: "spanring run reports an expectation that is not met, with the trace around it",
  });
}

/** Runs the command on a terminal, with an `npm` that sends the trace. */
async function outputOfRun(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "spanring-picture-"));
  try {
    const trace = join(folder, "trace.json");
    const npm = join(folder, "npm");
    writeFileSync(trace, JSON.stringify(fixedTrace()));
    const to = '--to "$OTEL_EXPORTER_OTLP_ENDPOINT"';
    const send = `exec "$BUN" "$MAIN" send ${to} "$TRACE" > /dev/null 2>&1`;
    writeFileSync(npm, `#!/bin/sh\n${send}\n`);
    chmodSync(npm, 0o755);
    return await runOnTerminal({ BUN: process.execPath, MAIN, TRACE: trace }, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function runOnTerminal(env: Readonly<Record<string, string>>, folder: string) {
  let text = "";
  const decoder = new TextDecoder();
  const argv = [process.execPath, MAIN, "run", "--expect", EXPECTATION, "--settle", "1ms"];
  const child = Bun.spawn([...argv, "--", "npm", "test"], {
    env: { ...env, PATH: `${folder}:${process.env["PATH"]}`, TERM: "xterm", TZ: "UTC" },
    terminal: {
      cols: COLUMNS,
      rows: 50,
      data: (_, bytes) => void (text += decoder.decode(bytes, { stream: true })),
    },
  });
  await child.exited;
  child.terminal?.close();
  return text.replaceAll("\r", "").trimEnd();
}

if (import.meta.main) writeFileSync(RUN_PICTURE, await runPicture());
