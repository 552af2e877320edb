import { freeBytesIn, intactRequests, readFile } from "./damage.ts";
import { countAccepted, type SpanAmount, extentOf, storedIn } from "./segment.ts";
import { emptyLog, type LogParts, type LogSettings, type LogState } from "./log-state.ts";
import { showStored } from "./found-spans.ts";
import {
  type FoundSegment,
  leftOverSegment,
  type RebuiltSegment,
  rebuildSegment,
  departedRanges,
  type FoundDeparture,
  type DeparturesBySegment,
  noteDepartures,
  remainingSpans,
} from "./rebuild-segment.ts";
import {
  segmentBytes,
  decodeSegmentHeader,
  FORMAT_VERSION,
  parseSegmentName,
} from "./segment-file.ts";
import { addRange, countSequences, gapsIn } from "./sequence-ranges.ts";

/** Bytes of a segment that are in no intact record. */
export interface Damage {
  readonly segment: string;
  readonly offsetBytes: number;
  readonly bytes: number;
}

/** What a log was found to have. */
export interface Findings {
  readonly segments: number;
  readonly fileBytes: number;
  /** Spans that were stored when the last run ended. */
  readonly restored: SpanAmount;
  /** Broken bytes that were intact once. */
  readonly damage: readonly Damage[];
  /** Writes that a crash has interrupted. */
  readonly torn: readonly Damage[];
  /** Acknowledged spans that this start found lost: damaged, in a missing file, or torn. */
  readonly lostSpans: number;
  /** Numbers of segments that something else has removed. */
  readonly missingSegments: readonly number[];
}

/** The result of recovering the log at a start. */
export interface Recovery extends Findings {
  /** Segments that could not be synced to stable storage; they are used nevertheless. */
  readonly unsynced: readonly string[];
}

export class UnsupportedFormatError extends Error {
  override name = "UnsupportedFormatError";
}

interface Found {
  readonly rebuilt: readonly RebuiltSegment[];
  readonly leavers: DeparturesBySegment;
  /** Spans of these segments that are newly lost. */
  readonly lostSpans: number;
}

/** The files of a log, and what reading them needs. */
export interface LogFiles extends Pick<LogParts, "disk" | "checksum" | "memory"> {
  readonly settings: Pick<LogSettings, "segmentBytes">;
}

/**
 * Reads and verifies a whole log, and changes nothing. Throws an `UnsupportedFormatError` for files
 * of another format.
 */
export async function readLog(
  files: LogFiles,
): Promise<{ readonly rebuilt: readonly RebuiltSegment[]; readonly findings: Findings }> {
  const listed = segmentsIn(await files.disk.list());
  const buffer = new Uint8Array(Math.max(0, ...listed.map(({ bytes }) => bytes)));
  const found = await readSegments(files, listed, buffer);
  await measureDamaged(files, found.rebuilt, buffer);
  return { rebuilt: found.rebuilt, findings: findingsOf(found) };
}

/**
 * Reads the log after a crash or a stop. It changes no file, so recovering again has the same
 * result. Everything found is synced before it is used, because a killed run may have left it in
 * the page cache only.
 */
export async function recoverLog(
  parts: LogParts,
): Promise<{ readonly state: LogState; readonly recovery: Recovery }> {
  const { rebuilt, findings } = await readLog(parts);
  const state = emptyLog(parts);
  adopt(state, rebuilt);
  return { state, recovery: { ...findings, unsynced: await syncAll(state) } };
}

type ListedFiles = Awaited<ReturnType<LogParts["disk"]["list"]>>;

/** Returns the segments, oldest first, and ignores other files. */
function segmentsIn(files: ListedFiles): FoundSegment[] {
  const segments = files.flatMap((file) => {
    const parsed = parseSegmentName(file.name);
    return parsed === undefined ? [] : [{ ...file, ...parsed }];
  });
  const foreign = segments.find(({ version }) => version !== FORMAT_VERSION);
  if (foreign !== undefined) {
    throw new UnsupportedFormatError(
      `${foreign.name} is in format ${foreign.version}, and this version reads format ` +
        `${FORMAT_VERSION}; start the version that wrote it, or use another directory`,
    );
  }
  return segments.toSorted((one, other) => one.number - other.number);
}

/**
 * Reads from the newest to the oldest, because each segment describes the older ones: where their
 * accepted spans end, how far they were synced, and which spans have departed. So everything about
 * a segment is known while its bytes are in memory, and no file has to be read again for it.
 */
async function readSegments(
  { disk, checksum, settings, memory }: LogFiles,
  files: readonly FoundSegment[],
  buffer: Uint8Array,
): Promise<Found> {
  const leavers: DeparturesBySegment = new Map();
  const rebuilt: RebuiltSegment[] = [];
  let lostSpans = 0;
  let limitSequence = Number.POSITIVE_INFINITY;
  for (const file of files.toReversed()) {
    if (isLeftOver(file, newestOpening(rebuilt))) {
      rebuilt.unshift(leftOverSegment(file));
      continue;
    }
    // oxlint-disable-next-line no-await-in-loop -- one after the other, into one buffer
    const bytes = segmentBytes(await readFile(disk, file, buffer), 0, { checksum, ...file });
    const header = decodeSegmentHeader(bytes.bytes, bytes);
    const each = rebuildSegment(file, bytes, header, {
      limitSequence,
      carried: leavers.get(file.number)?.carried,
      segmentBytes: settings.segmentBytes,
    });
    noteDepartures(leavers, each.departures);
    lostSpans += applyDepartures(each, leavers);
    showStored(memory, each.segment, bytes);
    rebuilt.unshift(each);
    limitSequence = Math.min(limitSequence, header?.previousEnd ?? startOf(each));
  }
  return { rebuilt, leavers, lostSpans };
}

/**
 * Reports whether a file no longer belongs to the log. Each segment carries all older ones of its
 * time; one that is not carried was removed, and a power cut has brought it back.
 */
function isLeftOver({ number }: FoundSegment, newest: RebuiltSegment | undefined): boolean {
  return newest !== undefined && !carriedBy(newest).some((each) => each.number === number);
}

function carriedBy({ departures }: RebuiltSegment): FoundDeparture[] {
  return departures.filter(({ isCarried }) => isCarried);
}

/** Returns where the spans of a segment without a header begin; nowhere if it has none. */
function startOf({ segment }: RebuiltSegment): number {
  const { firstSequence, endSequence } = segment;
  return firstSequence < endSequence ? firstSequence : Number.POSITIVE_INFINITY;
}

/**
 * Counts missing spans as departed, with zero bytes because their sizes are unknown. Returns the
 * number of newly lost spans.
 */
function applyDepartures(
  { segment, missing }: RebuiltSegment,
  leavers: DeparturesBySegment,
): number {
  const { first, end } = extentOf(segment);
  if (first === end) return 0;
  const { ranges, spanBytes } = departedRanges(leavers.get(segment.number));
  const outside = [
    { first: 0, end: first },
    { first: end, end: Number.POSITIVE_INFINITY },
  ];
  for (const range of ranges) {
    for (const inside of gapsIn(range, outside)) addRange(segment.departed, inside);
  }
  segment.departedBytes = spanBytes;
  const lost = missing.flatMap((range) => gapsIn(range, segment.departed));
  for (const range of lost) addRange(segment.departed, range);
  return countSequences(lost);
}

/** Measures a segment with missing spans, whose bytes the departures may include. */
async function measureDamaged(
  { disk, checksum }: LogFiles,
  rebuilt: readonly RebuiltSegment[],
  buffer: Uint8Array,
): Promise<void> {
  for (const { segment, missing } of rebuilt) {
    if (missing.length === 0) continue;
    const size = { name: segment.name, bytes: segment.fileBytes };
    // oxlint-disable-next-line no-await-in-loop -- one after the other, into one buffer
    const bytes = await readFile(disk, size, buffer);
    const file = segmentBytes(bytes, 0, { checksum, salt: segment.salt });
    const requests = intactRequests(file, segment, segment.broken);
    segment.departedBytes = segment.spanBytes - freeBytesIn(file, segment, requests);
  }
}

/** Adopts the segments found; sequences and numbers continue after them. */
function adopt(state: LogState, rebuilt: readonly RebuiltSegment[]): void {
  state.anchor = newestOpening(rebuilt)?.segment;
  for (const { segment } of rebuilt) {
    state.segments.push(segment);
    state.usedBytes += segment.fileBytes;
    state.nextNumber = segment.number + 1;
    state.nextSequence = Math.max(state.nextSequence, segment.endSequence);
    countAccepted(state.ledgers, storedIn(segment));
  }
  state.acceptedEnd = state.nextSequence;
}

async function syncAll({ parts: { disk }, segments }: LogState): Promise<string[]> {
  const unsynced: string[] = [];
  for (const { name } of segments) {
    // oxlint-disable-next-line no-await-in-loop -- concurrent syncs are no faster
    await disk.sync(name).catch(() => unsynced.push(name));
  }
  await disk.syncDirectory().catch(() => unsynced.push("the directory"));
  return unsynced;
}

function findingsOf(found: Found): Findings {
  const { rebuilt, lostSpans } = found;
  const stored = rebuilt.map(({ segment }) => storedIn(segment));
  const missing = missingSegments(found);
  return {
    segments: rebuilt.length,
    fileBytes: rebuilt.reduce((sum, { segment }) => sum + segment.fileBytes, 0),
    restored: {
      spans: stored.reduce((sum, { spans }) => sum + spans, 0),
      bytes: stored.reduce((sum, { bytes }) => sum + bytes, 0),
    },
    damage: rebuilt.flatMap(({ segment, damage }) =>
      damage.map((each) => damageAt(segment.name, each)),
    ),
    torn: rebuilt.flatMap(({ segment, torn }) =>
      torn === undefined || torn.offsetBytes >= segment.fileBytes
        ? []
        : [damageAt(segment.name, { ...torn, endBytes: segment.fileBytes })],
    ),
    lostSpans: missing.reduce((sum, { spans }) => sum + spans, lostSpans),
    missingSegments: missing.map(({ number }) => number),
  };
}

function damageAt(
  segment: string,
  { offsetBytes, endBytes }: { readonly offsetBytes: number; readonly endBytes: number },
): Damage {
  return { segment, offsetBytes, bytes: endBytes - offsetBytes };
}

function newestOpening(rebuilt: readonly RebuiltSegment[]): RebuiltSegment | undefined {
  return rebuilt.findLast(({ isOpeningWhole }) => isOpeningWhole);
}

/**
 * Returns the segments with spans that the newest segment with an intact opening lists, and whose
 * files are missing.
 */
function missingSegments({ rebuilt, leavers }: Found): { number: number; spans: number }[] {
  const newest = newestOpening(rebuilt);
  const listed = newest === undefined ? [] : carriedBy(newest);
  const present = new Set(rebuilt.map(({ segment }) => segment.number));
  return listed
    .filter(({ number }) => !present.has(number))
    .map(({ number }) => ({ number, spans: remainingSpans(leavers.get(number)!) }))
    .filter(({ spans }) => spans > 0);
}
