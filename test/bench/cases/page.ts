import type { Browser, Page } from "playwright-core";
import { openExportClient } from "../../support/running/export-client.ts";
import { launchBrowser } from "../../support/running/launch-browser.ts";
import { type BenchCase, type BenchRun, CannotRunError } from "../bench-case.ts";
import { type Figure, median, percentile } from "../figure.ts";
import { numberedRequests } from "../load/numbered-requests.ts";
import { pacedLoad, type PacedResult } from "../load/paced-load.ts";
import { type Spanring, startSpanring } from "../servers/subject.ts";

const TRACE_SPANS = 10_000;
const TRACE_ID = "1".padStart(32, "0");
const SEARCHED_SPANS = 1_000_000;
const LIVE_SPANS_PER_SECOND = 10_000;
const RING = { MAX_BUFFER_SIZE: String(SEARCHED_SPANS), MAX_BUFFER_BYTES: "768MiB" };

/** Measures the page in a real browser, and what it costs the senders of spans. */
export const page: BenchCase = {
  name: "page",
  shows: "how soon the page is usable, and what an open page and its search cost senders",
  run: async (run) => {
    const browser = await launchBrowser().catch((error: unknown) => {
      throw new CannotRunError(`cannot start Chromium: ${String(error)}`);
    });
    try {
      return [
        ...(await viewFigures(browser, run)),
        ...(await liveFigures(browser, run)),
        ...(await searchFigures(run)),
      ];
    } finally {
      await browser.close();
    }
  },
};

async function viewFigures(browser: Browser, { rounds, progress }: BenchRun): Promise<Figure[]> {
  await using spanring = await startSpanring({ MAX_BUFFER_SIZE: "20000" });
  await sendTrace(spanring.httpPort);
  const [interactive, drawn, frames]: number[][] = [[], [], []];
  for (let round = 0; round < rounds; round += 1) {
    progress(`page: views, round ${round + 1} of ${rounds}`);
    const opened = await newPage(browser);
    interactive!.push(await shownAfterMs(opened, `${spanring.apiUrl}/`, "[role=option]"));
    const url = `${spanring.apiUrl}/traces/${TRACE_ID}`;
    drawn!.push(await shownAfterMs(opened, url, "[role=treeitem]"));
    frames!.push(await scrollFrameMs(opened));
    await opened.context().close();
  }
  return [
    {
      ...duration("the page is interactive", interactive!),
      goal: { of: "median", is: "<=", bound: 300 },
    },
    {
      ...duration(`a trace of ${TRACE_SPANS} spans is drawn`, drawn!),
      goal: { of: "median", is: "<=", bound: 1000 },
    },
    {
      ...duration("a frame while it is scrolled, p95", frames!),
      goal: { of: "median", is: "<=", bound: 50 },
    },
  ];
}

function duration(name: string, samples: readonly number[]): Figure {
  return { name, unit: "ms", better: "lower", samples };
}

async function newPage(browser: Browser): Promise<Page> {
  return await (await browser.newContext()).newPage();
}

/** Returns the time from the navigation until the browser has drawn an element. */
async function shownAfterMs(opened: Page, url: string, selector: string): Promise<number> {
  await opened.goto(url, { waitUntil: "commit" });
  // A string, because the types of this program have no DOM.
  const shownMs: unknown = await opened.evaluate(`new Promise((resolve) => {
    const look = () => {
      const found = document.querySelector("[role=listbox] ${selector}, [role=tree] ${selector}");
      if (found === null) requestAnimationFrame(look);
      else requestAnimationFrame(resolve);
    };
    requestAnimationFrame(look);
  })`);
  return Number(shownMs);
}

/** Scrolls through the trace for 200 frames, and returns the 95th percentile of their times. */
async function scrollFrameMs(opened: Page): Promise<number> {
  const times = (await opened.evaluate(`new Promise((resolve) => {
    const list = document.querySelector("[role=tree]");
    const step = list.scrollHeight / 200;
    const times = [];
    let last = performance.now();
    const frame = (now) => {
      times.push(now - last);
      last = now;
      list.scrollTop += step;
      if (times.length === 200) resolve(times);
      else requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  })`)) as number[];
  return percentile(
    times.toSorted((one, other) => one - other),
    0.95,
  );
}

function spanIdOf(number: number): string {
  return (number + 1).toString(16).padStart(16, "0");
}

/** Sends a trace in which each span is the parent of the next three. */
async function sendTrace(httpPort: number): Promise<void> {
  const spans = Array.from({ length: TRACE_SPANS }, (_, number) => ({
    traceId: TRACE_ID,
    spanId: spanIdOf(number),
    ...(number > 0 && { parentSpanId: spanIdOf(Math.ceil(number / 3) - 1) }),
    name: `step ${number}`,
    startTimeUnixNano: String(1_700_000_000_000_000_000n + BigInt(number * 1000)),
    endTimeUnixNano: String(1_700_000_000_000_000_000n + BigInt((number + 100) * 1000)),
  }));
  const response = await fetch(`http://127.0.0.1:${httpPort}/v1/traces`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }),
  });
  if (!response.ok) throw new CannotRunError(`the trace is refused: ${await response.text()}`);
}

/** Sends at a fixed rate, in turn with and without the page open. */
async function liveFigures(browser: Browser, run: BenchRun): Promise<Figure[]> {
  await using spanring = await startSpanring({ MAX_BUFFER_SIZE: "100000" });
  const turnMs = run.isShort ? 1500 : 10_000;
  const [open, closed]: PacedResult[][] = [[], []];
  for (let round = 0; round < run.rounds; round += 1) {
    run.progress(`page: live, round ${round + 1} of ${run.rounds}`);
    closed!.push(await load(spanring, Bun.sleep(turnMs)));
    const opened = await newPage(browser);
    await opened.goto(spanring.apiUrl);
    await opened.locator("[role=listbox] [role=option]").first().waitFor();
    open!.push(await load(spanring, Bun.sleep(turnMs)));
    await opened.context().close();
  }
  return [
    {
      name: `ingest of ${LIVE_SPANS_PER_SECOND} spans/s with the page open`,
      unit: "spans/s",
      better: "higher",
      samples: rateOf(open!),
      reference: { name: "without", samples: rateOf(closed!) },
      goal: { of: "ratio", is: ">=", bound: 0.97 },
    },
    {
      ...duration("request p99 with the page open", p99Of(open!)),
      reference: { name: "without", samples: p99Of(closed!) },
    },
  ];
}

function load({ port }: Spanring, ended: Promise<unknown>): Promise<PacedResult> {
  return pacedLoad(port, LIVE_SPANS_PER_SECOND, ended);
}

function rateOf(results: readonly PacedResult[]): number[] {
  return results.map(({ spansPerSecond }) => spansPerSecond);
}

function p99Of(results: readonly PacedResult[]): number[] {
  return results.map(({ requestMs }) => percentile(requestMs, 0.99));
}

/** Searches all attributes of a full ring for a text that no span has, while spans arrive. */
async function searchFigures({ rounds, isShort, progress }: BenchRun): Promise<Figure[]> {
  await using spanring = await startSpanring(RING);
  progress(`page: filling the ring with ${SEARCHED_SPANS} spans`);
  await fill(spanring.port);
  // A search takes a seventh of a second, in which a hundred requests arrive: too few for a p99.
  const searches = isShort ? 2 : 100;
  const searchMs: number[] = [];
  const [alone, beside]: PacedResult[][] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    progress(`page: search, round ${round + 1} of ${rounds}`);
    const durations: number[] = [];
    const searching = async (): Promise<void> => {
      for (let turn = 0; turn < searches; turn += 1) durations.push(await search(spanring.apiUrl));
    };
    beside!.push(await load(spanring, searching()));
    alone!.push(await load(spanring, Bun.sleep(durations.reduce((sum, each) => sum + each, 0))));
    searchMs.push(median(durations));
  }
  return [
    {
      ...duration(`full-text search over ${SEARCHED_SPANS} spans`, searchMs),
      goal: { of: "median", is: "<=", bound: 1000 },
    },
    {
      ...duration("request p99 during searches", p99Of(beside!)),
      reference: { name: "without", samples: p99Of(alone!) },
      goal: { of: "ratio", is: ">=", bound: 0.5 },
    },
  ];
}

async function fill(port: number): Promise<void> {
  using client = openExportClient(port);
  for (const request of numberedRequests(500, SEARCHED_SPANS)) await client.export(request);
}

async function search(apiUrl: string): Promise<number> {
  const beganMs = performance.now();
  const response = await fetch(`${apiUrl}/api/traces?text=nothing+has+this&limit=200`);
  const { traces } = (await response.json()) as { traces: unknown[] };
  if (traces.length > 0) throw new CannotRunError("a span has the text that none should have");
  return performance.now() - beganMs;
}
