import { isUtf8 } from "node:buffer";
import { releaseOwnBuffer } from "../../../application/ring/release-bytes.ts";
import {
  beginDocument,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COMMA,
  createJsonReader,
  endDocument,
  fail,
  failSeparator,
  isStepOver,
  type JsonReader,
  type JsonSteps,
  nextByte,
  NULL_BEGIN,
  OPEN_BRACE,
  OPEN_BRACKET,
  takeByte,
  takeColon,
} from "./json-reader.ts";
import type { JsonLimits } from "./json-request.ts";
import { skipValue } from "./json-skip.ts";
import { copyKey } from "./json-string.ts";

/**
 * The path from the object of a request to its items: the keys to follow in each object. The last
 * ones hold the items.
 */
export type JsonItemPath = readonly {
  readonly names: readonly string[];
  readonly isRepeated: boolean;
}[];

interface Counting {
  readonly reader: JsonReader;
  readonly path: JsonItemPath;
  count: number;
}

/**
 * Returns how many items the body of a request holds, or what is wrong with it, without creating
 * objects. The body must be valid JSON, and of the right shape down to the items. Pauses between
 * items, as `requestFromJsonInSteps` does.
 */
export function* countItemsInSteps(
  body: Uint8Array,
  path: JsonItemPath,
  { nestingDepth }: JsonLimits,
): Generator<void, number | string> {
  if (!isUtf8(body)) return "the body is not valid UTF-8";
  const reader = createJsonReader(body, nestingDepth);
  const counting = { reader, path, count: 0 };
  try {
    const isRead = beginDocument(reader) && (yield* readObject(counting, 0)) && endDocument(reader);
    return isRead ? counting.count : reader.fault;
  } finally {
    // Also if the caller takes no further step.
    releaseOwnBuffer(reader.wire);
  }
}

/** Reads the object that starts at `reader.at`, `depth` steps down the path. */
function* readObject(counting: Counting, depth: number): JsonSteps {
  const { reader } = counting;
  reader.at += 1;
  if (takeByte(reader, CLOSE_BRACE)) return true;
  do {
    if (!(yield* readMember(counting, depth))) return false;
  } while (takeByte(reader, COMMA));
  return takeByte(reader, CLOSE_BRACE) || failSeparator(reader, "}");
}

function* readMember(counting: Counting, depth: number): JsonSteps {
  const { reader, path } = counting;
  const keyEnd = copyKey(reader);
  if (keyEnd < 0) return false;
  const key = reader.wire.toString("utf8", reader.wireEnd, keyEnd);
  if (!takeColon(reader)) return false;
  const isStep = path[depth]!.names.includes(key);
  if (!isStep || nextByte(reader) === NULL_BEGIN) return skipValue(reader);
  if (!path[depth]!.isRepeated) return yield* readItem(counting, key, depth);
  return takeByte(reader, OPEN_BRACKET)
    ? yield* readList(counting, key, depth)
    : fail(reader, `"${key}" must be a list`);
}

function* readList(counting: Counting, key: string, depth: number): JsonSteps {
  const { reader } = counting;
  if (takeByte(reader, CLOSE_BRACKET)) return true;
  do {
    if (isStepOver(reader)) yield;
    if (!(yield* readItem(counting, key, depth))) return false;
  } while (takeByte(reader, COMMA));
  return takeByte(reader, CLOSE_BRACKET) || failSeparator(reader, "]");
}

/**
 * Reads the value of a key on the path, or one of its list: an item, or an object on the way to
 * items.
 */
function* readItem(counting: Counting, key: string, depth: number): JsonSteps {
  const { reader, path } = counting;
  if (nextByte(reader) !== OPEN_BRACE) return fail(reader, `expected an object in "${key}"`);
  if (depth + 1 < path.length) return yield* readObject(counting, depth + 1);
  counting.count += 1;
  return skipValue(reader);
}
