// The only import of the client library. `kafka-client.d.ts` declares what is used of it, because
// its own declarations do not pass the checks of this repository. The last two are added to it, and
// used by it, as described in `scripts/patches/README.md`.
export { compressionsAlgorithms, Consumer, murmur2, Producer } from "@platformatic/kafka";
export { joinSmallChunks, setCRC32C } from "@platformatic/kafka";
