import type { ExportHeader } from "../../domain/text/export-headers.ts";
import type { SendOutcome, SpanBatch, SpanSink } from "../../ports/span-sink.ts";

/**
 * A sink in whose messages no secret stands: upstreams repeat in an error what they were sent, and
 * messages go into the log and the read API.
 */
export class ConcealingSink implements SpanSink {
  // Fixed at construction.
  private readonly sink: SpanSink;
  private readonly secrets: readonly string[];

  constructor(sink: SpanSink, secrets: readonly string[]) {
    this.sink = sink;
    this.secrets = secrets;
  }

  async send(batch: SpanBatch, cancelled: AbortSignal): Promise<SendOutcome> {
    const outcome = await this.sink.send(batch, cancelled);
    if (outcome.message === undefined) return outcome;
    return { ...outcome, message: conceal(outcome.message, this.secrets) };
  }

  close(): Promise<void> {
    return this.sink.close();
  }
}

/** What is shorter guards nothing, and to hide it would leave holes in every message. */
const MIN_SECRET_LENGTH = 4;

/** No message is longer. */
const MAX_SECRET_LENGTH = 256;

/** Values of headers, the words in them (`Bearer` has its token behind it), what a URL asks for. */
export function secretsOf(headers: readonly ExportHeader[], url = ""): readonly string[] {
  const values = headers.flatMap(([, value]) => [value, ...value.split(" ")]);
  const found = [...values, ...querySecrets(url)].filter(isSecret).map(asQuoted);
  // What is part of another is looked for after it.
  return [...new Set(found)].toSorted((one, other) => other.length - one.length);
}

/** Whole, and the values in it as they stand there and as they are meant. */
function querySecrets(url: string): string[] {
  const query = URL.parse(url)?.search.slice(1) ?? "";
  const written = query.split("&").map((pair) => pair.slice(pair.indexOf("=") + 1));
  return [query, ...written, ...new URLSearchParams(query).values()];
}

function isSecret(text: string): boolean {
  return text.length >= MIN_SECRET_LENGTH;
}

/** As `quotePeerText` has it: of what may be in a header, only the backslash is escaped. */
function asQuoted(text: string): string {
  return text.slice(0, MAX_SECRET_LENGTH).replaceAll("\\", "\\\\");
}

function conceal(message: string, secrets: readonly string[]): string {
  return secrets.reduce(
    (text, secret) => concealCut(text.replaceAll(secret, "***"), secret),
    message,
  );
}

/** Where a message was cut, there may be the beginning of a secret. */
function concealCut(message: string, secret: string): string {
  let text = message;
  for (let length = secret.length - 1; length >= MIN_SECRET_LENGTH; length -= 1) {
    text = text.replaceAll(`${secret.slice(0, length)}…`, "***…");
  }
  return text;
}
