import { crc32, inflateSync } from 'node:zlib';

/** Pixels of an 8-bit RGB or RGBA PNG. */
export interface Pixels {
  width: number;
  height: number;
  /** Red, green and blue of the pixel in column x and row y. */
  at(x: number, y: number): [number, number, number];
}

/** Decodes a PNG (filters 0 to 4, not interlaced). */
export function decodePng(png: Buffer): Pixels {
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const channels = png[25] === 6 ? 4 : 3;
  const parts: Buffer[] = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT')
      parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  const raw = inflateSync(Buffer.concat(parts));
  const stride = width * channels;
  const out = new Uint8Array(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const left = x >= channels ? out[y * stride + x - channels] : 0;
      const up = y > 0 ? out[(y - 1) * stride + x] : 0;
      const corner = x >= channels && y > 0 ? out[(y - 1) * stride + x - channels] : 0;
      const guess = left + up - corner;
      const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
      const paeth = a <= b && a <= c ? left : b <= c ? up : corner;
      out[y * stride + x] =
        raw[y * (stride + 1) + 1 + x] + [0, left, up, (left + up) >> 1, paeth][filter];
    }
  }
  return {
    width,
    height,
    at: (x, y) =>
      [0, 1, 2].map((k) => out[y * stride + x * channels + k]) as [number, number, number],
  };
}

/** How many pixels are of this kind. */
export function countPixels(
  image: Pixels,
  is: (red: number, green: number, blue: number) => boolean,
): number {
  let n = 0;
  for (let y = 0; y < image.height; y++)
    for (let x = 0; x < image.width; x++) if (is(...image.at(x, y))) n++;
  return n;
}

/**
 * The texts of a PNG (its chunks `iTXt`, not compressed), by keyword. Throws for a chunk whose
 * checksum is wrong.
 */
export function pngTexts(png: Buffer): Record<string, string> {
  const texts: Record<string, string> = {};
  for (let at = 8; at < png.length; ) {
    const end = at + 8 + png.readUInt32BE(at);
    const data = png.subarray(at + 4, end);
    if (crc32(data) !== png.readUInt32BE(end))
      throw new Error(`The checksum of ${data.toString('latin1', 0, 4)} is wrong.`);
    if (data.toString('latin1', 0, 4) === 'iTXt') {
      const [keyword, , , , , text] = [...data.subarray(4).toString('utf8').split('\0')];
      texts[keyword] = text;
    }
    at = end + 4;
  }
  return texts;
}
