import { expect } from 'chai';
import { formatColumn } from '../../../lib/recital/data/table.js';

const written = (...values: number[]): string[] => formatColumn(Float64Array.from(values));

describe('numbers of a column', () => {
  it('have the same decimals, as many as give the largest six digits', () => {
    expect(written(0.0123, 0.5)).to.deep.equal(['0.012300', '0.500000']);
    expect(written(1234.5, 20)).to.deep.equal(['1234.50', '20.00']);
    expect(written(3, 12)).to.deep.equal(['3', '12']);
  });

  it('have their thousands separated from 10,000 on, which leaves years alone', () => {
    expect(written(1999, 2024)).to.deep.equal(['1999', '2024']);
    expect(written(12_345, 7, -1_234_567)).to.deep.equal(['12,345', '7', '-1,234,567']);
    expect(written(12_345.678)).to.deep.equal(['12,345.7']);
    expect(written(123_456_789_012)).to.deep.equal(['123,456,789,012']);
  });

  it('stay readable beside far larger ones', () => {
    expect(written(252_506.4, 0.487)).to.deep.equal(['252,506.400', '0.487']);
  });

  it('are in scientific notation only where they could not be read otherwise', () => {
    expect(written(1e-7, 3e-6)).to.deep.equal(['1.000e-7', '3.000e-6']);
    expect(written(1.5e9)).to.deep.equal(['1,500,000,000']);
    expect(written(1234567890.5)).to.deep.equal(['1.235e+9']);
    expect(written(1e20)).to.deep.equal(['1.000e+20']);
  });

  it('do not look like zero unless they are, but for a rounding error', () => {
    expect(written(5e-3, 5e-8, 0)).to.deep.equal(['0.005000', '5.00e-8', '0.000000']);
    expect(written(1.5, -2.17e-16, -0)).to.deep.equal(['1.50000', '0.00000', '0.00000']);
  });

  it('may be missing or infinite', () => {
    expect(written(NaN, Infinity, -Infinity, 2)).to.deep.equal(['–', 'Infinity', '-Infinity', '2']);
  });
});
