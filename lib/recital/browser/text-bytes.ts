import type { TextBytes } from '../compute/host.js';

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Bytes of which parts can be read as text and compared, without Node's Buffer. */
export class PageBytes extends Uint8Array<ArrayBufferLike> implements TextBytes {
  override toString(_encoding?: 'utf8', start = 0, end: number = this.length): string {
    const part = new Uint8Array(this.buffer, this.byteOffset + start, end - start);
    return decoder.decode(part.buffer instanceof ArrayBuffer ? part : Uint8Array.from(part)); // browsers decode no shared memory
  }

  compare(
    other: Uint8Array,
    otherStart = 0,
    otherEnd: number = other.length,
    start = 0,
    end: number = this.length,
  ): -1 | 0 | 1 {
    const n = Math.min(end - start, otherEnd - otherStart);
    for (let i = 0; i < n; i++) {
      const [a, b] = [this[start + i], other[otherStart + i]];
      if (a !== b) return a < b ? -1 : 1;
    }
    const longer = end - start - (otherEnd - otherStart);
    return longer === 0 ? 0 : longer < 0 ? -1 : 1;
  }
}
