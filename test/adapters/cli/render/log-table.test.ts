import { expect, test } from "bun:test";
import { PLAIN } from "../../../../src/adapters/cli/output/palette.ts";
import { logText } from "../../../../src/adapters/cli/render/log-table.ts";

const [OLDER, NEWER] = ["spans-000000000001-00000001.v1", "spans-000000000002-00000002.v1"];

test("files are listed, then what is wrong with them, then a summary", () => {
  const segment = { formatVersion: 1, fileBytes: 4_096, spanBytes: 2_048 };
  const text = logText(
    {
      segments: [
        { ...segment, name: OLDER!, firstSequence: 1, nextSequence: 1_001, spans: 998 },
        { ...segment, name: NEWER!, firstSequence: 1_001, nextSequence: 1_003, spans: 2 },
      ],
      fileBytes: 8_192,
      restored: { spans: 1_000, bytes: 4_096 },
      damage: [{ segment: OLDER!, offsetBytes: 1_064, bytes: 1_048 }],
      torn: [{ segment: NEWER!, offsetBytes: 4_000, bytes: 1 }],
      lostSpans: 2,
      missingSegments: [7],
    },
    100,
    PLAIN,
  );

  expect(text.split("\n")).toEqual([
    "FILE                            FORMAT      SIZE  FIRST   NEXT  SPANS",
    "spans-000000000001-00000001.v1       1  4.00 KiB      1  1,001    998",
    "spans-000000000002-00000002.v1       1  4.00 KiB  1,001  1,003      2",
    "damaged: spans-000000000001-00000001.v1, 1,048 bytes from offset 1,064, intact once",
    "torn: spans-000000000002-00000002.v1, 1 byte from offset 4,000, an interrupted write",
    "missing: segment 7",
    "2 files of 8.00 KiB; a start restores 1,000 spans of 4.00 KiB, and 2 are lost",
    "",
  ]);
});
