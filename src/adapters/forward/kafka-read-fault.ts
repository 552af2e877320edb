import { quotePeerText } from "../../domain/text/quote-text.ts";
import { TopicFault } from "../../ports/topic-source.ts";
import type { BrokerAccess } from "./kafka-access.ts";
import { conceal } from "./concealing-sink.ts";
import { outcomeOfError, type ProtocolFault, protocolFault, verdictOf } from "./kafka-errors.ts";

/** Says why a topic could not be read, and whether another try may succeed. */
export interface ReadFault {
  readonly fault: TopicFault;
  readonly isTemporary: boolean;
}

const READ = "permit this user to read the topic";

interface ReaderAccess extends Pick<BrokerAccess, "endpoint" | "sasl"> {
  /** Texts that no message may show. */
  readonly secrets: readonly string[];
}

/** Returns what an error of the client library means for a reader with this access. */
export function readFaultOf(error: unknown, access: ReaderAccess): ReadFault {
  const { message, hint, isTemporary } = reasonOf(error, access);
  return { fault: new TopicFault(conceal(message, access.secrets), hint), isTemporary };
}

interface Reason {
  readonly message: string;
  readonly hint: string | undefined;
  readonly isTemporary: boolean;
}

function reasonOf(error: unknown, { endpoint, sasl }: ReaderAccess): Reason {
  const answer = protocolFault(error) ?? unknownTopic(error);
  if (answer === undefined) {
    const outcome = outcomeOfError(error, endpoint, sasl !== undefined);
    const hint = "hint" in outcome ? outcome.hint : undefined;
    return { message: outcome.message ?? "", hint, isTemporary: true };
  }
  const found = verdictOf(answer.name);
  const message = quotePeerText(`${answer.name} (topic ${endpoint.topic}): ${answer.message}`);
  const ownHint = "hint" in found ? found.hint : undefined;
  const hint = answer.name === "TOPIC_AUTHORIZATION_FAILED" ? READ : ownHint;
  // A topic that was created just now may be unknown to some brokers.
  const isTemporary = found.verdict !== "blocked" || found.reason === "not_found";
  return { message, hint, isTemporary };
}

/** The library replaces the error of the broker by one in words of its own. */
function unknownTopic(error: unknown): Pick<ProtocolFault, "name" | "message"> | undefined {
  const isUnknown = error instanceof Error && error.message.startsWith("Unknown topic ");
  if (!isUnknown) return undefined;
  return { name: "UNKNOWN_TOPIC_OR_PARTITION", message: "the brokers have no such topic" };
}
