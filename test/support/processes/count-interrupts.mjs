/**
 * Reports every SIGINT, and on SIGTERM exits with their number. A SIGHUP shows that earlier signals
 * have been handled.
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
