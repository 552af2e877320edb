/** The smallest program for Bun; its start time is a lower bound for every executable. */
process.stderr.write("started\n");
