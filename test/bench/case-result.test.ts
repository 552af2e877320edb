import { expect, test } from "bun:test";
import { type BenchCase, CannotRunError } from "./bench-case.ts";
import { benchReport } from "./bench-report.ts";
import { runCase } from "./case-result.ts";
import type { Figure } from "./figure.ts";

const FIGURE: Figure = { name: "one", unit: "ms", better: "lower", samples: [3, 1, 2] };

function quietRun() {
  const printed: string[] = [];
  return { rounds: 3, isShort: true, progress: (text: string) => void printed.push(text), printed };
}

function caseThat(run: BenchCase["run"]): BenchCase {
  return { name: "walk", shows: "something", run };
}

test("a case that ran has figures and no failure", async () => {
  const run = quietRun();

  const result = await runCase(
    caseThat(async () => [FIGURE]),
    run,
  );

  expect(result).toMatchObject({ name: "walk", shows: "something", failure: null });
  expect(result.figures).toMatchObject([{ name: "one", median: 2 }]);
  expect(run.printed).toEqual(["walk: something"]);
});

test("a case that cannot run has only the reason", async () => {
  const run = quietRun();
  const cannot = caseThat(() => Promise.reject(new CannotRunError("h2load is missing")));

  const result = await runCase(cannot, run);

  expect(result).toMatchObject({ failure: "h2load is missing", figures: [] });
  expect(run.printed).toContain("walk could not run: h2load is missing");
});

test("an internal error of a benchmark contains its location", async () => {
  const faulty = caseThat(() => Promise.reject(new TypeError("no such thing")));

  const result = await runCase(faulty, quietRun());

  expect(result.failure).toContain("no such thing");
  expect(result.failure).toContain("case-result.test.ts");
});

test("the report has the options of the run and the machine, and survives JSON", async () => {
  const run = quietRun();
  const result = await runCase(
    caseThat(async () => [FIGURE]),
    run,
  );

  const report = benchReport([result], run);

  expect(JSON.parse(JSON.stringify(report))).toEqual({
    bench: "spanring",
    rounds: 3,
    short: true,
    machine: {
      platform: `${process.platform}-${process.arch}`,
      cpu: expect.any(String),
      cpus: expect.any(Number),
      bun: Bun.version,
    },
    cases: [
      {
        name: "walk",
        shows: "something",
        failure: null,
        figures: [
          {
            name: "one",
            unit: "ms",
            median: 2,
            min: 1,
            max: 3,
            samples: [3, 1, 2],
            reference: null,
            ratio: null,
            goal: null,
            verdict: null,
          },
        ],
      },
    ],
  });
});
