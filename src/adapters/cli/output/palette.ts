import type { Environment } from "../../../config/config.ts";

type Paint = (text: string) => string;

/** Functions that colour text, or leave it unchanged. */
export interface Palette {
  readonly heading: Paint;
  readonly word: Paint;
  readonly faint: Paint;
  readonly bad: Paint;
  readonly odd: Paint;
  /** Distinct colours without a meaning, which distinguish services. */
  readonly distinct: readonly Paint[];
}

/** Selects the colours of a stream. Any value of NO_COLOR except an empty one disables them. */
export function paletteFor(stream: { readonly isTerminal: boolean }, env: Environment): Palette {
  return stream.isTerminal && !env["NO_COLOR"] && !isDumb(env) ? COLOURED : PLAIN;
}

/** Reports whether a terminal shows escape sequences instead of obeying them. */
export function isDumb(env: Environment): boolean {
  return env["TERM"] === "dumb";
}

const asItIs: Paint = (text) => text;

export const PLAIN: Palette = {
  heading: asItIs,
  word: asItIs,
  faint: asItIs,
  bad: asItIs,
  odd: asItIs,
  distinct: [asItIs],
};

export const COLOURED: Palette = {
  heading: painted(1),
  word: painted(36),
  faint: painted(2),
  bad: painted(31),
  odd: painted(33),
  distinct: [36, 32, 35, 34, 96, 92, 95, 94].map(painted),
};

/** Source: ECMA-48, SGR. */
function painted(colour: number): Paint {
  return (text) => (text === "" ? "" : `\u001b[${colour}m${text}\u001b[0m`);
}

/** Bounds the memory of a tail if a peer sends ever new service names. */
const MAX_SERVICES = 1024;

/** Returns a function that assigns colours to services in order of appearance. */
export function serviceColours({ distinct }: Palette): (service: string) => Paint {
  const known = new Map<string, Paint>();
  return (service) => {
    const paint = known.get(service) ?? distinct[known.size % distinct.length]!;
    if (known.size < MAX_SERVICES) known.set(service, paint);
    return paint;
  };
}
