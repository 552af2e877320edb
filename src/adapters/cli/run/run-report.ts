import { type CheckedExpectation, type Losses, lossesOf, lossTexts } from "./check-expectations.ts";
import type { ChildEnd } from "./child-process.ts";
import { failureLines } from "./failure-lines.ts";
import { explainNothing } from "./nothing-received.ts";
import { quotePeerText } from "../../../domain/text/quote-text.ts";
import { type CommandRun, paletteOf, type Receiver, report } from "../command/command-run.ts";
import { countedText, countText } from "../output/quantities.ts";
import type { LoggedBuffer } from "../../../application/ring/logged-buffer.ts";
import {
  type Operation,
  type Operations,
  summariseOperations,
} from "../../../application/querying/summarise-operations.ts";
import type { Palette } from "../output/palette.ts";
import { fit, fitRight, peerText, widest } from "../output/text-columns.ts";

/** Describes how a run ended. Its messages and its JUnit file derive from this. */
export interface Outcome {
  readonly command: readonly string[];
  readonly end: ChildEnd;
  readonly commandSeconds: number;
  readonly checked: readonly CheckedExpectation[];
  readonly checkSeconds: number;
  readonly received: ReceivedSpans;
}

/** Summarises the spans that the receiver got. */
interface ReceivedSpans {
  readonly text: string;
  /** Present only if an expectation matched no span, which is often due to a wrong name. */
  readonly names?: SeenNames;
  /** Why nothing was received, and what to check; empty if spans were received. */
  readonly absence: readonly string[];
  readonly losses: Losses;
}

/** The names of the received spans, the most frequent first. */
interface SeenNames extends Pick<Operations, "otherSpanCount"> {
  readonly operations: readonly Pick<Operation, "service" | "name" | "spanCount">[];
}

/** Reports whether an expectation failed because no span matched. */
export function hasFoundNothing({ isMet, isUncertain, seen }: CheckedExpectation): boolean {
  return !isMet && isUncertain !== true && seen.count === 0;
}

const INDENT = "  ";

/** Prints on standard error how the command ended, and which expectations were not met. */
export function reportOutcome(run: CommandRun, { command, end, checked, received }: Outcome): void {
  const { reason, exitCode } = end;
  const name = quotePeerText(command[0] ?? "");
  if (reason !== undefined) report(run, `${name}: ${reason} (exit code ${exitCode})`);
  const palette = paletteOf(run, run.stderr);
  const columns = run.stderr.columns - INDENT.length;
  const missed = checked.filter(({ isMet }) => !isMet);
  for (const each of missed) {
    report(run, `${palette.bad("✗")} expected ${quotePeerText(each.expectation.text)}`);
    printIndented(run, failureLines(each, columns, palette));
  }
  if (missed.length > 0) report(run, received.text);
  if (received.names !== undefined) printIndented(run, nameLines(received.names, columns, palette));
  for (const loss of lossTexts(received.losses)) report(run, loss);
  if (missed.length > 0) for (const line of received.absence) report(run, line);
  if (checked.length > 0 && missed.length === 0) {
    report(run, `${countedText(checked.length, "expectation")} met`);
  }
}

function printIndented({ stderr }: CommandRun, lines: readonly string[]): void {
  for (const line of lines) stderr.write(`${INDENT}${line}\n`);
}

const SERVICES_SHOWN = 10;
const NAMES_SHOWN = 10;

/** Summarises the received spans. Call it before the receiver stops. */
export async function summariseReceived(
  receiver: Pick<Receiver, "buffer" | "problems" | "exporters">,
  checked: readonly CheckedExpectation[],
): Promise<ReceivedSpans> {
  const { buffer } = receiver;
  const losses = lossesOf(receiver);
  const absence = losses.hasSpans ? [] : explainNothing(receiver);
  const received = { text: receivedText(buffer), losses, absence };
  if (!checked.some(hasFoundNothing)) return received;
  return { ...received, names: await summariseOperations(buffer) };
}

/** Returns the number of received spans by service, the busiest first. */
export function receivedText(buffer: Pick<LoggedBuffer, "services">): string {
  const services = buffer.services().toSorted((a, b) => b.spans.received - a.spans.received);
  if (services.length === 0) return "no span was received";
  const total = services.reduce((sum, { spans }) => sum + spans.received, 0);
  const named = services
    .slice(0, SERVICES_SHOWN)
    .map(({ service, spans }) => `${quotePeerText(service)} ${spans.received}`);
  const more = services.length > SERVICES_SHOWN ? ", and more" : "";
  return `${countedText(total, "span")} received, by service: ${named.join(", ")}${more}`;
}

const SPANS_COLUMNS = 8;
const SERVICE_COLUMNS = 20;

/** Returns a table of the most frequent span names; no lines without spans. */
export function nameLines(
  { operations: names, otherSpanCount }: SeenNames,
  columns: number,
  { heading }: Palette,
): string[] {
  if (names.length === 0) return [];
  const top = names.slice(0, NAMES_SHOWN);
  const services = ["SERVICE", ...top.map(({ service }) => peerText(service, SERVICE_COLUMNS))];
  const width = widest(services);
  const row = (spans: string, service: string, name: string) =>
    `${fitRight(spans, SPANS_COLUMNS)}  ${fit(service, width)}  ${name}`;
  const nameColumns = columns - SPANS_COLUMNS - width - 4;
  const rows = top.map(({ spanCount, name }, index) =>
    row(countText(spanCount), services[index + 1]!, peerText(name, nameColumns)),
  );
  const rest = names.slice(NAMES_SHOWN).reduce((sum, { spanCount }) => sum + spanCount, 0);
  const others = rest + otherSpanCount;
  const last = others === 0 ? [] : [row(countText(others), "", "other names")];
  return [heading(row("SPANS", "SERVICE", "NAME")), ...rows, ...last];
}
