import { crc32 } from 'node:zlib';

const HEAD = 8 + 25; // signature and IHDR, which must come first

/**
 * A PNG with texts in it, as `iTXt` chunks in front of the picture: what it shows goes where the
 * file goes.
 * @param png a PNG
 * @param texts by keyword: the specification's are Title, Description, Author, Software …
 */
export function withTexts(png: Buffer, texts: Readonly<Record<string, string>>): Buffer {
  const chunks = Object.entries(texts).map(([keyword, text]) => {
    // Keyword, no compression (two zero bytes), no language, no translated keyword, the text in
    // UTF-8.
    const data = Buffer.concat([
      Buffer.from('iTXt', 'latin1'),
      Buffer.from(keyword, 'latin1'),
      Buffer.alloc(5),
      Buffer.from(text, 'utf8'),
    ]);
    const chunk = Buffer.alloc(8 + data.length);
    chunk.writeUInt32BE(data.length - 4);
    data.copy(chunk, 4);
    chunk.writeUInt32BE(crc32(data), 4 + data.length);
    return chunk;
  });
  return Buffer.concat([png.subarray(0, HEAD), ...chunks, png.subarray(HEAD)]);
}
