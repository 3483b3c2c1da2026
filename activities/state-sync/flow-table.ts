/**
 * Flows in little memory: some 25 bytes each instead of several hundred, so that several runs can compare nodes with a million
 * flows at a time. A flow is told by a hash of 96 bits, keyed anew in each process; that one hides another in a comparison of
 * two million has a chance below 10⁻¹⁵. Nothing that is read is kept as text.
 */
import { randomBytes } from 'node:crypto';
import { spend } from '../kit';
import { originalLengthOf } from './flows';

/** Each is small, so that neither its growth nor going through it holds the event loop. */
const PARTITIONS = 256;
const [ORIGINAL_1, ORIGINAL_2, REPLY, EXPIRY, WORDS] = [0, 1, 2, 3, 4];
const FIRST_SLOTS = 16;
const GROWTH = 1.5;
const FULL = 0.8;
/** What a slot holds instead of a time: nothing at all, or a flow whose time wasn't printed. */
const [FREE, UNKNOWN] = [0, 0xffff_ffff];
/** What looking at one flow in three tables costs, in bytes that are parsed. */
const LOOK_BYTES = 16;

const seeds = new Uint32Array(randomBytes(12).buffer.slice(0));
const [SEED_1, SEED_2, SEED_3] = [seeds[0] ?? 0, seeds[1] ?? 0, seeds[2] ?? 0];

// Taken once: where the globals are a sandbox's (jest), each look for one costs more than the hash.
const { imul } = Math;

/** 32 bits of a part of a text: MurmurHash3 over its characters. */
function hash(text: string, from: number, to: number, seed: number): number {
  let h = seed;
  for (let i = from; i < to; i++) {
    let k = imul(text.charCodeAt(i), 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    h ^= imul(k, 0x1b873593);
    h = imul((h << 13) | (h >>> 19), 5) + 0xe6546b64;
  }
  h ^= to - from;
  h = imul(h ^ (h >>> 16), 0x85ebca6b);
  h = imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

interface Hashes {
  readonly original1: number;
  readonly original2: number;
  /** 0 of a flow that is told by its original direction alone. */
  readonly reply: number;
}

function hashesOf(key: string): Hashes {
  const end = originalLengthOf(key);
  return {
    original1: hash(key, 0, end, SEED_1),
    original2: hash(key, 0, end, SEED_2),
    reply: end === key.length ? 0 : hash(key, end, key.length, SEED_3),
  };
}

/** One part of a table: open addressing, so that flows of one original direction stand in one row of slots. */
class Partition {
  words = new Uint32Array(FIRST_SLOTS * WORDS);
  size = 0;

  get slots(): number {
    return this.words.length / WORDS;
  }

  /** Position of the flow, or of the free slot where it would stand. */
  find(original1: number, original2: number, reply: number): number {
    for (let slot = this.#first(original2); ; slot = slot + 1 === this.slots ? 0 : slot + 1) {
      const at = slot * WORDS;
      if (this.words[at + EXPIRY] === FREE) return at;
      if (this.#isOf(at, original1, original2) && this.words[at + REPLY] === reply) return at;
    }
  }

  hasOriginal(original1: number, original2: number): boolean {
    for (let slot = this.#first(original2); ; slot = slot + 1 === this.slots ? 0 : slot + 1) {
      const at = slot * WORDS;
      if (this.words[at + EXPIRY] === FREE) return false;
      if (this.#isOf(at, original1, original2)) return true;
    }
  }

  /** Returns whether it is new. */
  set(original1: number, original2: number, reply: number, expiry: number): boolean {
    if (this.size + 1 > this.slots * FULL) this.#grow();
    const at = this.find(original1, original2, reply);
    const isNew = this.words[at + EXPIRY] === FREE;
    if (isNew) this.size += 1;
    this.words.set([original1, original2, reply, expiry], at);
    return isNew;
  }

  #first(original2: number): number {
    return Math.floor((original2 / 2 ** 32) * this.slots);
  }

  #isOf(at: number, original1: number, original2: number): boolean {
    return this.words[at + ORIGINAL_1] === original1 && this.words[at + ORIGINAL_2] === original2;
  }

  #grow(): void {
    const old = this.words;
    this.words = new Uint32Array(Math.ceil(this.slots * GROWTH) * WORDS);
    for (let at = 0; at < old.length; at += WORDS) {
      if (old[at + EXPIRY] === FREE) continue;
      const to = this.find(old[at + ORIGINAL_1]!, old[at + ORIGINAL_2]!, old[at + REPLY]!);
      this.words.set(old.subarray(at, at + WORDS), to);
    }
  }
}

/** A flow of a table, as other tables are asked for it. */
export interface FlowEntry extends Hashes {
  /** Seconds until it expires; undefined where that wasn't printed. */
  readonly timeoutS: number | undefined;
}

export class FlowTable {
  readonly #partitions: (Partition | undefined)[] = Array.from({ length: PARTITIONS }, () => undefined);
  #size = 0;

  static of(flows: Iterable<readonly [string, number | undefined]>): FlowTable {
    const table = new FlowTable();
    for (const [key, timeoutS] of flows) table.set(key, timeoutS);
    return table;
  }

  get size(): number {
    return this.#size;
  }

  /** Bytes of memory. */
  get bytes(): number {
    return this.#partitions.reduce((sum, part) => sum + (part?.words.byteLength ?? 0), 0);
  }

  /** Returns whether the flow is new; the time is that of the last one. A flow may be one of another table. */
  set(flow: string | Hashes, timeoutS: number | undefined): boolean {
    const { original1, original2, reply } = typeof flow === 'string' ? hashesOf(flow) : flow;
    const part = (this.#partitions[original1 >>> 24] ??= new Partition());
    const expiry = timeoutS === undefined ? UNKNOWN : Math.min(timeoutS + 1, UNKNOWN - 1);
    const isNew = part.set(original1, original2, reply, expiry);
    if (isNew) this.#size += 1;
    return isNew;
  }

  /** Undefined where there is no such flow. */
  entry(flow: string | Hashes): FlowEntry | undefined {
    const hashes = typeof flow === 'string' ? hashesOf(flow) : flow;
    const part = this.#partitions[hashes.original1 >>> 24];
    const expiry = part?.words[part.find(hashes.original1, hashes.original2, hashes.reply) + EXPIRY] ?? FREE;
    return expiry === FREE ? undefined : { ...hashes, timeoutS: expiry === UNKNOWN ? undefined : expiry - 1 };
  }

  /** Whether there is a flow of this original direction, however it is translated. */
  hasOriginal(flow: string | Hashes): boolean {
    const { original1, original2 } = typeof flow === 'string' ? hashesOf(flow) : flow;
    return this.#partitions[original1 >>> 24]?.hasOriginal(original1, original2) ?? false;
  }

  /** Goes through all flows; the event loop turns meanwhile. */
  async each(take: (flow: FlowEntry) => void): Promise<void> {
    for (const part of this.#partitions) {
      if (part === undefined) continue;
      const { words } = part;
      for (let at = 0; at < words.length; at += WORDS) {
        const expiry = words[at + EXPIRY]!;
        if (expiry === FREE) continue;
        const timeoutS = expiry === UNKNOWN ? undefined : expiry - 1;
        take({
          original1: words[at + ORIGINAL_1]!,
          original2: words[at + ORIGINAL_2]!,
          reply: words[at + REPLY]!,
          timeoutS,
        });
      }
      const turn = spend(part.size * LOOK_BYTES);
      if (turn !== undefined) await turn;
    }
  }
}
