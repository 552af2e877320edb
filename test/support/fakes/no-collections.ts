import { CollectionPace } from "../../../src/adapters/memory/collection-pace.ts";

const none = (): number => 0;

/** Returns a pace that starts no collections. */
export function noCollections(): CollectionPace {
  return new CollectionPace({ young: none, all: none, returnFree: none, heapBytes: none });
}
