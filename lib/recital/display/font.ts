import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * A TrueType font, as far as laying out a chart needs it: how wide a text is, and whether there is
 * a glyph for every character. Without it the layout would guess, and labels would overlap or stand
 * too far apart. Reads the tables `cmap` (format 12), `head`, `hhea` and `hmtx`.
 */
export class Font {
  private readonly data: DataView;
  private readonly tables = new Map<string, number>();
  private readonly unitsPerEm: number;
  private readonly metrics: number;
  private readonly glyphs = new Map<number, number>();

  /** @param file path of a .ttf file */
  constructor(readonly file: string) {
    const bytes = readFileSync(file);
    this.data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let i = 0, at = 12; i < this.data.getUint16(4); i++, at += 16) {
      this.tables.set(bytes.toString('latin1', at, at + 4), this.data.getUint32(at + 8));
    }
    this.unitsPerEm = this.data.getUint16(this.tables.get('head')! + 18);
    this.metrics = this.data.getUint16(this.tables.get('hhea')! + 34);
    const cmap = this.tables.get('cmap')!;
    for (let i = 0; i < this.data.getUint16(cmap + 2); i++) {
      const table = cmap + this.data.getUint32(cmap + 4 + 8 * i + 4);
      if (this.data.getUint16(table) === 12) this.readCharacters(table);
    }
  }

  private readCharacters(table: number): void {
    const { data } = this;
    for (let i = 0, at = table + 16; i < data.getUint32(table + 12); i++, at += 12) {
      const start = data.getUint32(at);
      const first = data.getUint32(at + 8);
      for (let code = start; code <= data.getUint32(at + 4); code++)
        this.glyphs.set(code, first + code - start);
    }
  }

  /** Whether the font has a glyph for every character of the text. */
  covers(text: string): boolean {
    for (const c of text) if (!this.glyphs.has(c.codePointAt(0)!) && c > ' ') return false;
    return true;
  }

  /**
   * Width of a text at a font size, in the unit of the size. A character without a glyph counts as
   * a full em: it is most likely a CJK one.
   */
  width(text: string, size: number): number {
    const widths = this.tables.get('hmtx')!;
    let sum = 0;
    for (const c of text) {
      const glyph = this.glyphs.get(c.codePointAt(0)!);
      sum +=
        glyph === undefined
          ? this.unitsPerEm
          : this.data.getUint16(widths + 4 * Math.min(glyph, this.metrics - 1));
    }
    return (sum / this.unitsPerEm) * size;
  }
}

let loaded: { regular: Font; bold: Font } | undefined;

/**
 * The font that charts are drawn with: DejaVu Sans, which comes with the package, so that a machine
 * without fonts draws the same picture.
 */
export function chartFont(): { regular: Font; bold: Font } {
  if (loaded) return loaded;
  const folder = join(dirname(require.resolve('dejavu-fonts-ttf/package.json')), 'ttf');
  loaded = {
    regular: new Font(join(folder, 'DejaVuSans.ttf')),
    bold: new Font(join(folder, 'DejaVuSans-Bold.ttf')),
  };
  return loaded;
}
