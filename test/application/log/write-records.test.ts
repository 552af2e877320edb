import { describe, expect, test } from "bun:test";
import { emptyLog, type LogState } from "../../../src/application/log/log-state.ts";
import { newSegment, type Segment } from "../../../src/application/log/segment.ts";
import { isRemovable, needsDepartureSync } from "../../../src/application/log/write-records.ts";
import { LogBench } from "../../support/disk/opened-log.ts";

/** Returns a segment of five spans, of which the first ones have departed. */
function segmentWith(number: number, departedSpans: number): Segment {
  const firstSequence = number * 10;
  const segment = newSegment({ number, salt: number, name: `spans-${number}`, firstSequence });
  segment.endSequence = firstSequence + 5;
  segment.departed.push({ first: firstSequence, end: firstSequence + departedSpans });
  segment.lastDeparture = number;
  return segment;
}

/** Returns a log whose departures are on stable storage up to a number. */
function logWith(segments: readonly Segment[], syncedDeparture: number): LogState {
  const state = emptyLog(new LogBench().parts);
  state.segments.push(...segments);
  state.syncedDeparture = syncedDeparture;
  return state;
}

describe("a segment can be removed", () => {
  test("once all its spans have departed, and the records of that are synced", () => {
    const [spent, unsynced, stored] = [segmentWith(1, 5), segmentWith(2, 5), segmentWith(3, 4)];
    const state = logWith([spent, unsynced, stored], 1);
    stored.lastDeparture = 0;

    expect(isRemovable(state, spent)).toBe(true);
    expect(isRemovable(state, unsynced)).toBe(false);
    expect(isRemovable(state, stored)).toBe(false);
  });

  test("without synced records if nothing can be written, but never with stored spans", () => {
    const [unsynced, stored] = [segmentWith(2, 5), segmentWith(3, 4)];
    const state = logWith([unsynced, stored], 0);
    state.isBlocked = true;

    expect(isRemovable(state, unsynced)).toBe(true);
    expect(isRemovable(state, stored)).toBe(false);
  });

  // Without the newest synced opening, a recovery would not know which spans have departed.
  test.each([true, false])("unless it is the anchor (blocked: %p)", (isBlocked) => {
    const [older, anchor] = [segmentWith(1, 5), segmentWith(2, 5)];
    const state = logWith([older, anchor], 9);
    state.anchor = anchor;
    state.isBlocked = isBlocked;

    expect(isRemovable(state, anchor)).toBe(false);
    expect(isRemovable(state, older)).toBe(true);
  });

  test("once a newer segment has become the anchor", () => {
    const [former, anchor] = [segmentWith(1, 5), segmentWith(2, 0)];
    const state = logWith([former, anchor], 9);
    state.anchor = former;

    const before = isRemovable(state, former);
    state.anchor = anchor;

    expect([before, isRemovable(state, former)]).toEqual([false, true]);
  });

  test("unless it is being written", () => {
    const active = segmentWith(1, 5);
    const state = logWith([active], 9);
    const file = { append: async () => {}, sync: async () => {}, close: async () => {} };
    state.active = {
      segment: active,
      file,
      opening: [],
      writtenBytes: 1,
      writtenDeparture: 0,
      syncing: Promise.resolve(),
      failedSync: undefined,
    };

    expect(isRemovable(state, active)).toBe(false);
    expect(needsDepartureSync(state)).toBe(false);
  });
});
