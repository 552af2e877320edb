// The only import of the client library. `kafka-client.d.ts` declares what is used of it, because
// its own declarations do not pass the checks of this repository.
export { compressionsAlgorithms, Consumer, murmur2, Producer } from "@platformatic/kafka";
