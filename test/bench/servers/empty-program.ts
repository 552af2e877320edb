/** The least that an executable of Bun can do: what it takes to start, every one takes. */
process.stderr.write("started\n");
