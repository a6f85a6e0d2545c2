// SHA-256 (FIPS 180-4): what a page has of its own answers later only, and hashes one block.
import type { Sha256 } from '../compute/host.js';

const PRIMES = 64;
const BLOCK = 64;

/** The first 32 bits behind the point of a root of each of the first primes. */
function fractions(n: number, root: (prime: number) => number): Uint32Array {
  const found: number[] = [];
  for (let i = 2; found.length < n; i++)
    if (!found.some((_, j) => i % primes[j] === 0)) {
      primes[found.length] = i;
      found.push((root(i) % 1) * 2 ** 32);
    }
  return Uint32Array.from(found, Math.floor);
}

const primes: number[] = [];
const K = fractions(PRIMES, Math.cbrt);
const START = fractions(8, Math.sqrt);

const right = (x: number, by: number): number => (x >>> by) | (x << (32 - by));

/** A SHA-256 in progress. */
export class Digest implements Sha256 {
  private readonly state = START.slice();
  private readonly rest = new Uint8Array(BLOCK);
  private readonly words = new Int32Array(PRIMES);
  private length = 0;

  update(data: NodeJS.ArrayBufferView | string): this {
    const bytes =
      typeof data === 'string'
        ? new TextEncoder().encode(data)
        : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    for (let at = 0; at < bytes.length; ) {
      const filled = this.length % BLOCK;
      const n = Math.min(BLOCK - filled, bytes.length - at);
      if (n === BLOCK) this.block(bytes, at);
      else this.rest.set(bytes.subarray(at, at + n), filled);
      if (n < BLOCK && filled + n === BLOCK) this.block(this.rest, 0);
      this.length += n;
      at += n;
    }
    return this;
  }

  digest(_encoding: 'hex'): string {
    const bits = this.length * 8;
    const end = new Uint8Array(((119 - (this.length % BLOCK)) % BLOCK) + 9);
    end[0] = 0x80;
    const view = new DataView(end.buffer);
    view.setUint32(end.length - 8, Math.floor(bits / 2 ** 32));
    view.setUint32(end.length - 4, bits >>> 0);
    this.update(end);
    return Array.from(this.state, (word) => word.toString(16).padStart(8, '0')).join('');
  }

  private block(bytes: Uint8Array, at: number): void {
    const { state, words: w } = this;
    for (let i = 0; i < 16; i++) {
      const j = at + 4 * i;
      w[i] = (bytes[j] << 24) | (bytes[j + 1] << 16) | (bytes[j + 2] << 8) | bytes[j + 3];
    }
    for (let i = 16; i < PRIMES; i++) {
      const s0 = right(w[i - 15], 7) ^ right(w[i - 15], 18) ^ (w[i - 15] >>> 3);
      const s1 = right(w[i - 2], 17) ^ right(w[i - 2], 19) ^ (w[i - 2] >>> 10);
      w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < PRIMES; i++) {
      const s1 = right(e, 6) ^ right(e, 11) ^ right(e, 25);
      const one = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
      const s0 = right(a, 2) ^ right(a, 13) ^ right(a, 22);
      const two = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
    }
    const added = [a, b, c, d, e, f, g, h];
    for (let i = 0; i < 8; i++) state[i] += added[i];
  }
}
