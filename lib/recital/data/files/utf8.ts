import { ArgumentError } from '../../errors.js';

/**
 * Sorts strings in place by Unicode code point, which is also the order of their UTF-8 bytes.
 * JavaScript's own order is by UTF-16 unit and puts the characters beyond U+FFFF before U+E000 …
 * U+FFFF.
 */
export function codePointOrder(values: string[]): string[] {
  return values.some((v) => /[\ud800-\uffff]/.test(v))
    ? values.sort(compareCodePoints)
    : values.sort();
}

/** Negative, zero or positive as `a` comes before, with or after `b` by Unicode code point. */
export function compareCodePoints(a: string, b: string): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/**
 * A UTF-16 unit's place in the order of code points: surrogates, which stand for U+10000 and
 * beyond, come last.
 */
function rank(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
}

/** Strings as one block of UTF-8: string `i` is `bytes[offsets[i] … offsets[i + 1])`. */
export interface Packed {
  bytes: Uint8Array;
  offsets: Uint32Array;
}

/** Packs strings. Throws ArgumentError for half a surrogate pair, which UTF-8 cannot hold. */
export function pack(values: readonly string[]): Packed {
  const bytes = Buffer.from(values.join(''));
  const offsets = new Uint32Array(values.length + 1);
  let units = 0;
  for (let i = 0; i < values.length; i++) offsets[i + 1] = units += values[i].length;
  if (units === bytes.length) return { bytes, offsets }; // all ASCII
  for (let i = 0; i < values.length; i++) {
    if (/\p{Surrogate}/u.test(values[i])) {
      throw new ArgumentError(
        `"${values[i]}" holds half a surrogate pair, so it is not text. Was the file read in the wrong encoding?`,
      );
    }
    offsets[i + 1] = offsets[i] + Buffer.byteLength(values[i]);
  }
  return { bytes, offsets };
}
