import { expect } from 'chai';
import { chartFont } from '../../../lib/recital/display/font.js';

describe('Font', () => {
  const { regular, bold } = chartFont();

  it('knows the widths of DejaVu Sans', () => {
    // From the font's own table: H 1540, i 569, W 2025, é 1260 of 2048 units an em.
    expect(regular.width('H', 2048)).to.equal(1540);
    expect(regular.width('i', 2048)).to.equal(569);
    expect(regular.width('HiWé', 20)).to.be.closeTo(((1540 + 569 + 2025 + 1260) / 2048) * 20, 1e-9);
  });

  it('knows that bold is wider', () => {
    expect(bold.width('nDCG@10', 12)).to.be.greaterThan(regular.width('nDCG@10', 12) * 1.05);
  });

  it('tells which texts it has glyphs for', () => {
    expect(regular.covers('Sigur Rós – Кино … Μίκης')).to.equal(true);
    expect(regular.covers('坂本龍一')).to.equal(false);
  });

  it('takes characters outside the basic plane as one', () => {
    expect(regular.width('𠀀', 10)).to.equal(10); // no glyph: a full em
  });
});
