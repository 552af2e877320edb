import { CollectionPace } from "../../../src/adapters/memory/collection-pace.ts";

/** Returns a pace that starts no collections. */
export function noCollections(): CollectionPace {
  return new CollectionPace({ young: () => 0, all: () => 0, heapBytes: () => 0 });
}
