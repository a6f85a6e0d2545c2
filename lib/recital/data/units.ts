/**
 * Units of the catalogue's columns that have one; the other audio features are shares from 0 to 1.
 */
const units: Readonly<Record<string, string>> = {
  duration_ms: 'ms',
  loudness: 'dB',
  tempo: 'beats a minute',
};

/**
 * What an axis says that shows a column: its name, and its unit if it is one of the catalogue's
 * that has one, e.g. `loudness (dB)`.
 */
export function withUnit(column: string): string {
  return Object.hasOwn(units, column) ? `${column} (${units[column]})` : column;
}
