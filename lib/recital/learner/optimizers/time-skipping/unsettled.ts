import type { Moments, TimelineState } from './timeline.js';

/**
 * Tables some of whose rows are not up to date, as plain data. A run that was stopped is settled,
 * so that its weights can be used; to go on to the very bits of one that was not, it needs the rows
 * as they stood.
 */
export interface Unsettled {
  /** Nothing: these are numbers by the million. */
  toJSON(): undefined;
  readonly lines: readonly { readonly moments: Moments; readonly state: TimelineState }[];
  readonly tables: readonly {
    /** The parameter. */
    readonly name: string;
    /** Which of the lines its time is. */
    readonly line: number;
    readonly value: Float32Array;
    readonly last: Int32Array;
    readonly buffers: Readonly<Record<string, Float32Array>>;
  }[];
}
