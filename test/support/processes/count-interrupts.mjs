/**
 * Tells of every SIGINT it gets, and at a SIGTERM, by its exit code, how many there were. A SIGHUP
 * is for who wants to know that a signal of before has come through.
 */
let count = 0;
process.on("SIGINT", () => {
  count += 1;
  process.stdout.write(`interrupt ${count}\n`);
});
process.on("SIGHUP", () => process.stdout.write("hangup\n"));
process.on("SIGTERM", () => process.exit(count));
setInterval(() => {}, 1000);
process.stdout.write("ready\n");
