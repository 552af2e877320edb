/** Generates random numbers that a seed repeats: xorshift128, started from a mixed seed. */
export class SeededRandom {
  // Moved by every draw.
  private readonly state: Uint32Array;

  constructor(seed: number) {
    this.state = new Uint32Array(4);
    for (let at = 0; at < 4; at += 1) this.state[at] = mix(seed + at * 0x9e_37_79_b9);
  }

  /** Returns an integer from 0 to 2^32 - 1. */
  bits(): number {
    const { state } = this;
    const value = step(state);
    state.copyWithin(1, 0, 3);
    state[0] = value;
    return state[0];
  }

  /** Returns a number from 0 up to, but not including, 1. */
  fraction(): number {
    return this.bits() / 2 ** 32;
  }

  /** Returns an integer from `least` to `most`. */
  between(least: number, most: number): number {
    return least + Math.floor(this.fraction() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.fraction() * items.length)]!;
  }
}

function step(state: Uint32Array): number {
  let word = state[3]!;
  word ^= word << 11;
  word ^= word >>> 8;
  return word ^ state[0]! ^ (state[0]! >>> 19);
}

/** Mixes a seed, so that consecutive seeds have nothing in common. */
function mix(seed: number): number {
  let word = seed | 0;
  word = Math.imul(word ^ (word >>> 16), 0x85_eb_ca_6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2_b2_ae_35);
  return (word ^ (word >>> 16)) >>> 0;
}
