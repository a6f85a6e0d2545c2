import type { Random } from '../../recital/compute/random.js';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const HEX = '0123456789abcdef';
const BASE62 = `0123456789${LETTERS.toLowerCase()}${LETTERS}`;

/** The third quarter of a track id, and what share of the ids has it, in per cent. */
const SERIES: readonly (readonly [string, number])[] = [
  ['128F', 74],
  ['12903', 18],
  ['128E', 8],
];

function text(random: Random, alphabet: string, length: number): string {
  let s = '';
  for (let i = 0; i < length; i++) s += alphabet[random.int(alphabet.length)];
  return s;
}

/**
 * An id of 18 characters shaped as the dataset's: TR, five letters, 128F (128E, 12903), hexadecimal
 * digits.
 */
export function trackId(random: Random): string {
  let x = random.int(100);
  let series = SERIES[0][0];
  for (const [name, share] of SERIES) {
    if (x < share) {
      series = name;
      break;
    }
    x -= share;
  }
  return `TR${text(random, LETTERS, 5)}${series}${text(random, HEX, 11 - series.length).toUpperCase()}`;
}

/** Writes a user id, 40 hexadecimal digits in ASCII, into `bytes` at `offset`. */
export function writeUserId(random: Random, bytes: Uint8Array, offset: number): void {
  for (let word = 0; word < 5; word++) {
    let x = random.uint32();
    for (let i = 0; i < 8; i++) {
      bytes[offset + 8 * word + i] = HEX.charCodeAt(x & 15);
      x >>>= 4;
    }
  }
}

/** An id of 22 characters shaped as Spotify's. */
export function spotifyId(random: Random): string {
  return text(random, BASE62, 22);
}
