import { NA, type Vocabulary } from './vocabulary.js';

/**
 * The index in another vocabulary of each class of one, −1 where it is not there. Both are gone
 * through once, in the order of code points, and no text is made: a million ids take a fraction of
 * a second.
 */
export function indicesIn(from: Vocabulary, to: Vocabulary): Int32Array {
  if (from === to) return Int32Array.from(from.offsets.subarray(1), (_, i) => i);
  const out = new Int32Array(from.length).fill(-1);
  const [own, other] = [sorted(from), sorted(to)];
  for (let i = 0, j = 0; i < own.length && j < other.length; ) {
    const [a, b] = [own.at(i), other.at(j)];
    const side = own.bytes.compare(
      other.bytes,
      to.offsets[b],
      to.offsets[b + 1],
      from.offsets[a],
      from.offsets[a + 1],
    );
    if (side === 0) out[a] = b;
    if (side <= 0) i++;
    if (side >= 0) j++;
  }
  const na = from.indexOf(NA);
  if (na >= 0) out[na] = to.indexOf(NA);
  return out;
}

/** The classes but for `#na#` at index 0: how many, and which is the i-th by code point. */
function sorted({ bytes, length, na, order }: Vocabulary): {
  bytes: Buffer;
  length: number;
  at: (i: number) => number;
} {
  const first = na ? 1 : 0;
  return {
    bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    length: length - first,
    at: order ? (i) => order[i] : (i) => i + first,
  };
}
