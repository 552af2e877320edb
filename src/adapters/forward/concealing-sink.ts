import type { ExportHeader } from "../../domain/text/export-headers.ts";
import type { SendOutcome, SpanBatch, SpanSink } from "../../ports/span-sink.ts";

/**
 * A sink that removes secrets from messages: upstreams quote requests in their errors, and messages
 * end up in the log and in the read API.
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

/** A shorter value protects nothing, and replacing it would garble every message. */
const MIN_SECRET_LENGTH = 4;

/** The maximum length of a message, which may contain the beginning of a longer secret. */
const MAX_SECRET_LENGTH = 256;

/** Returns header values, the words in them (a token follows `Bearer`), and the URL query. */
export function secretsOf(headers: readonly ExportHeader[], url = ""): readonly string[] {
  const values = headers.flatMap(([, value]) => [value, ...value.split(" ")]);
  const found = [...values, ...querySecrets(url)].filter(isSecret).map(asQuoted);
  // Longest first, so that a secret is replaced before any other that is a part of it.
  return [...new Set(found)].toSorted((one, other) => other.length - one.length);
}

/** Returns the query as a whole, and its values both as written and decoded. */
function querySecrets(url: string): string[] {
  const query = URL.parse(url)?.search.slice(1) ?? "";
  const written = query.split("&").map((pair) => pair.slice(pair.indexOf("=") + 1));
  return [query, ...written, ...new URLSearchParams(query).values()];
}

function isSecret(text: string): boolean {
  return text.length >= MIN_SECRET_LENGTH;
}

/** Quotes as `quotePeerText` does: the backslash is the only header character that it escapes. */
function asQuoted(text: string): string {
  return text.slice(0, MAX_SECRET_LENGTH).replaceAll("\\", "\\\\");
}

/** Returns the message with these secrets replaced. */
export function conceal(message: string, secrets: readonly string[]): string {
  return secrets.reduce(
    (text, secret) => concealCut(text.replaceAll(secret, "***"), secret),
    message,
  );
}

/** Conceals the beginning of a secret at the point where a message was cut. */
function concealCut(message: string, secret: string): string {
  let text = message;
  for (let length = secret.length - 1; length >= MIN_SECRET_LENGTH; length -= 1) {
    text = text.replaceAll(`${secret.slice(0, length)}…`, "***…");
  }
  return text;
}
