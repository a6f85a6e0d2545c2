import { ArgumentError } from '../../../lib/recital/errors.js';

/** One result, the last lines of a benchmark's output. */
export interface Figure {
  /** What was measured, e.g. `collab b64 t1`. */
  bench: string;
  /** Our median. */
  ours: number;
  /** Unit of `ours` and `theirs`. Less is better. */
  unit: string;
  /** Name and version of what was measured beside it; null where there is none. */
  peer: string | null;
  /** The peer's median. */
  theirs: number | null;
  /** theirs / ours: how many times as fast, or as small, ours is. */
  ratio: number | null;
  /** Our peak resident memory in megabytes (2²⁰ bytes). */
  peakMB: number;
}

/** The middle of some numbers; of an even count the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new ArgumentError('There is no median of no values.');
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** A number with four significant digits, and no more zeros than needed. */
export function digits(value: number): number {
  return Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(4));
}

/** A figure, with its ratio, from our value and, if there is one, the peer's. */
export function figure(
  bench: string,
  ours: number,
  unit: string,
  peakMB: number,
  peer?: { name: string; value: number },
): Figure {
  const theirs = peer ? digits(peer.value) : null;
  const ratio = peer ? digits(peer.value / ours) : null;
  return {
    bench,
    ours: digits(ours),
    unit,
    peer: peer?.name ?? null,
    theirs,
    ratio,
    peakMB: Math.round(peakMB),
  };
}

/**
 * A figure as one line of JSON. Throws if a number of it is not finite: JSON would turn that into
 * null.
 */
export function jsonLine({ bench, ours, unit, peer, theirs, ratio, peakMB }: Figure): string {
  for (const [name, value] of Object.entries({ ours, theirs, ratio, peakMB })) {
    if (value !== null && !Number.isFinite(value))
      throw new ArgumentError(
        `The figure "${bench}" has ${name} = ${value}; a finite number was expected.`,
      );
  }
  return JSON.stringify({ bench, ours, unit, peer, theirs, ratio, peakMB });
}

/** "median (min–max)" of some numbers, or the number alone. */
export function spread(
  values: readonly number[],
  { decimals = 2 }: { decimals?: number } = {},
): string {
  const text = (v: number): string => v.toFixed(decimals);
  const all = text(median(values));
  return values.length === 1
    ? all
    : `${all} (${text(Math.min(...values))}–${text(Math.max(...values))})`;
}
