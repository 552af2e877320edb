import { expect, test } from "bun:test";
import { append, LogBench, numbers, storedNumbers } from "../../support/disk/opened-log.ts";

/** Makes all files of a disk fail to close; returns the names of those that failed. */
function failToClose({ disk }: LogBench): string[] {
  const closed: string[] = [];
  const create = disk.create.bind(disk);
  disk.create = async (name) => {
    const file = await create(name);
    file.close = () => {
      closed.push(name);
      return Promise.reject(new Error("EIO: close"));
    };
    return file;
  };
  return closed;
}

// The records were synced before; an uncaught error would end the program.
test("a segment that cannot be closed loses no span and does not stop the log", async () => {
  const bench = new LogBench({ segmentBytes: 1_500 });
  const closed = failToClose(bench);
  const log = await bench.open();

  for (const number of numbers(1, 40)) await append(log, number, 1);
  await log.close();
  bench.disk.cutPower();

  expect(bench.disk.fileNames().length).toBeGreaterThan(1);
  expect(closed).toEqual(bench.disk.fileNames());
  expect(await storedNumbers(await bench.open())).toEqual(numbers(1, 40));
});
