import { deliver } from "../../src/application/forwarding/delivery.ts";
import type { SendFailure } from "../../src/application/forwarding/send-failure.ts";
import type { SendOutcome, SpanBatch, SpanSink } from "../../src/ports/span-sink.ts";
import { decodeSpans } from "./requests/decoded-request.ts";
import { FakeSink } from "./fakes/fake-sink.ts";
import { requestOf } from "./requests/request-bytes.ts";
import { NEVER, searchedRing } from "./running/searched-ring.ts";
import type { Lease } from "../../src/ports/trace-buffer.ts";

export const DELIVERED: SendOutcome = { outcome: "delivered" };
export const TOO_LARGE: SendOutcome = { outcome: "too_large", message: "too long" };
export const BUSY: SendOutcome = { outcome: "retry", message: "busy" };
export const INVALID: SendOutcome = { outcome: "refused", reason: "invalid", message: "400" };
export const FORBIDDEN: SendOutcome = { outcome: "blocked", reason: "forbidden", message: "403" };

export interface DeliveryGiven {
  readonly sink: Pick<SpanSink, "send">;
  readonly spans?: Uint8Array<ArrayBuffer>;
  /** The outcome of an empty request, and of a span outside the lease. */
  readonly probed?: () => SendOutcome;
  readonly witnessed?: () => SendOutcome | undefined;
  readonly isProbed?: boolean;
  /** Whether the upstream has accepted a span before. */
  readonly takesSpans?: boolean;
}

export interface DeliveryAmounts {
  readonly buffered: number;
  readonly delivered: number;
  readonly undeliverable: number;
}

export interface DeliveryEnd {
  /** The notifications of the watcher, as text. */
  readonly events: readonly string[];
  /** The requests besides the lease. */
  readonly extraSends: readonly ("probe" | "witness")[];
  readonly failures: readonly SendFailure[];
  readonly ledger: DeliveryAmounts;
  readonly takesSpans: boolean;
}

/** Delivers six spans at once, or the given ones. */
export async function delivered({
  sink,
  spans = requestOf(6),
  ...given
}: DeliveryGiven): Promise<DeliveryEnd> {
  const { probed = () => DELIVERED, witnessed = () => DELIVERED, isProbed = false } = given;
  const { buffer, arrive } = searchedRing();
  arrive(spans);
  const lease = buffer.lease({ spans: 1_000, bytes: 1 << 20 }) as Lease;
  const [events, failures]: [string[], SendFailure[]] = [[], []];
  const extraSends: ("probe" | "witness")[] = [];
  const watcher = {
    sent: ({ outcome }: SendOutcome, { spanCount }: { spanCount: number }) =>
      void events.push(`sent ${spanCount}: ${outcome}`),
    delivered: (spanCount: number) => void events.push(`delivered ${spanCount}`),
    undeliverable: (spanCount: number, reason: string, message: string) =>
      void events.push(`undeliverable ${spanCount}: ${reason}, ${message}`),
    returned: (spanCount: number) => void events.push(`returned ${spanCount}`),
    tooLarge: ({ spanCount }: { spanCount: number }) => void events.push(`too large ${spanCount}`),
    failed: (failure: SendFailure) => void failures.push(failure),
  };
  const probe = async () => {
    extraSends.push("probe");
    return probed();
  };
  const witness = async () => {
    extraSends.push("witness");
    return witnessed();
  };
  const evidence = { takesSpans: given.takesSpans ?? false };
  const parts = { buffer, sink, watcher, cancelled: NEVER, evidence, probe, witness };
  await deliver(parts, lease, isProbed);
  const { buffered, delivered: gone, undeliverable } = buffer.stats().spans;
  const ledger = { buffered, delivered: gone, undeliverable };
  return { events, extraSends, failures, ledger, takesSpans: evidence.takesSpans };
}

export const namesOf = ({ request: bytes }: SpanBatch): string[] =>
  decodeSpans(Buffer.from(bytes)).map(({ span: { name } }) => name ?? "");

export const answering = (answer: (batch: SpanBatch) => SendOutcome): FakeSink =>
  new FakeSink(answer);

/** Returns an upstream that refuses every batch with one of these spans. */
export const refusing = (names: readonly string[], refusal: SendOutcome = INVALID): FakeSink =>
  answering((batch) => (namesOf(batch).some((name) => names.includes(name)) ? refusal : DELIVERED));
