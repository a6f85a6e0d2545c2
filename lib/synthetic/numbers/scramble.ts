/**
 * Scrambles 32 bits (the last step of MurmurHash3): the same number always gives the same one,
 * nearby ones unrelated ones.
 */
export function scramble(x: number): number {
  let h = x ^ (x >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
