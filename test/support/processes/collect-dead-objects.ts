import { fullGC, heapStats } from "bun:jsc";

// Prints the bytes of the blocks of the heap after a full collection of 300,000 dead objects, and
// after free memory has been returned to the system. It is a process of its own, because the blocks
// of a large heap have room for these objects.

function blockBytes(): number {
  const { heapCapacity, extraMemorySize } = heapStats();
  return heapCapacity - extraMemorySize;
}

Array.from({ length: 300_000 }, (_, at) => ({ at }));
fullGC();
const collected = blockBytes();
Bun.gc(true);
process.stdout.write(JSON.stringify({ collected, returned: blockBytes() }));
