import { ArgumentError } from '../errors.js';
import { said } from '../options.js';

/**
 * Seeded random numbers: xoshiro128** (Blackman and Vigna, 2018), seeded by splitmix32 from an
 * FNV-1a hash of the seed's path.
 *
 * One seed serves a whole experiment. Each use takes a child by name (`seed.child('split')`,
 * `seed.child('shuffle').child(epoch)`), and a child depends on the path of names alone, never on
 * how many numbers were drawn before: adding one use does not shift the others.
 *
 * @example new Random(42).child('split').permutation(10)
 */
export class Random {
  private s0 = 0;
  private s1 = 0;
  private s2 = 0;
  private s3 = 0;
  private spare: number | undefined;
  private readonly path: string;

  /** @param seed any integer or string; equal seeds give equal numbers on every machine */
  constructor(seed: number | string) {
    if (typeof seed !== 'string' && !Number.isInteger(seed))
      throw new ArgumentError(`A seed must be an integer or a string, got ${said(seed)}.`);
    this.path = String(seed);
    let h = 0x811c9dc5;
    for (let i = 0; i < this.path.length; i++)
      h = Math.imul(h ^ this.path.charCodeAt(i), 0x01000193);
    const next = (): number => {
      h = (h + 0x9e3779b9) | 0;
      let t = h ^ (h >>> 16);
      t = Math.imul(t, 0x21f0aaad);
      t = Math.imul(t ^ (t >>> 15), 0x735a2d97);
      return t ^ (t >>> 15);
    };
    this.s0 = next();
    this.s1 = next();
    this.s2 = next();
    this.s3 = next() | 1; // never all zero
  }

  /** An independent stream, named. The same name always gives the same stream. */
  child(name: string | number): Random {
    return new Random(`${this.path}/${name}`);
  }

  /** 32 random bits, as an unsigned integer. */
  uint32(): number {
    const m = Math.imul(this.s1, 5);
    const result = Math.imul((m << 7) | (m >>> 25), 9) >>> 0;
    const t = this.s1 << 9;
    this.s2 ^= this.s0;
    this.s3 ^= this.s1;
    this.s1 ^= this.s2;
    this.s0 ^= this.s3;
    this.s2 ^= t;
    this.s3 = (this.s3 << 11) | (this.s3 >>> 21);
    return result;
  }

  /** Uniform in [0, 1), 53 bits. */
  uniform(): number {
    return (this.uint32() * 2097152 + (this.uint32() >>> 11)) / 9007199254740992;
  }

  /**
   * A whole number in [0, n), each equally likely: values that would favour small results are drawn
   * again.
   */
  int(n: number): number {
    if (!(Number.isInteger(n) && n >= 1 && n <= 4294967296))
      throw new ArgumentError(`int(n) needs a whole number, 1 ≤ n ≤ 2³², got ${said(n)}.`);
    const limit = 4294967296 - (4294967296 % n);
    let x = this.uint32();
    while (x >= limit) x = this.uint32();
    return x % n;
  }

  /** Standard normal, by the Box-Muller transform. */
  normal(): number {
    if (this.spare !== undefined) {
      const z = this.spare;
      this.spare = undefined;
      return z;
    }
    const r = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const a = 2 * Math.PI * this.uniform();
    this.spare = r * Math.sin(a);
    return r * Math.cos(a);
  }

  /** The numbers 0 … n−1 in random order (Fisher-Yates). */
  permutation(n: number): Int32Array {
    if (!(Number.isInteger(n) && n >= 0 && n < 2147483648))
      throw new ArgumentError(`permutation(n) needs a whole number, 0 ≤ n < 2³¹, got ${said(n)}.`);
    const p = new Int32Array(n);
    for (let i = 0; i < n; i++) p[i] = i;
    for (let i = n - 1; i > 0; i--) {
      const j = this.int(i + 1);
      const t = p[i];
      p[i] = p[j];
      p[j] = t;
    }
    return p;
  }
}
