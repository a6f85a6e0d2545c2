import type { SafetensorsFile, Tensor } from '../../../data/files/safetensors.js';
import { DataError } from '../../../errors.js';
import type { Fields, Json } from '../../../fields.js';
import type { Optimizer } from '../optimizer.js';
import { MAX_BLOCKS, type Moments, SLOTS, STRIDE, type TimelineState } from './timeline.js';

/**
 * Tables with updates that are still pending, as plain data. Stopping a run applies them, so that
 * its weights can be used; to resume bit-exactly, the state before is kept here.
 */
export interface PendingRows {
  /** Left out of JSON, as there may be millions of numbers. */
  toJSON(): undefined;
  readonly lines: readonly { readonly moments: Moments; readonly state: TimelineState }[];
  readonly tables: readonly {
    /** The parameter. */
    readonly name: string;
    /** Index of its timeline in `lines`. */
    readonly line: number;
    readonly value: Float32Array;
    readonly last: Int32Array;
    readonly buffers: Readonly<Record<string, Float32Array>>;
  }[];
}

const NUMBERS = [
  ...(['now', 'block', 'done', 'time', 'begin', 'used'] as const),
  ...(['logKeep', 'logShrink', 'loose'] as const),
];
const COUNTS = NUMBERS.slice(0, 6);
const RANGES = 128;

/**
 * Pending rows as JSON and tensors: `run.rows.PARAMETER.value`, `….last` and `….MOMENT`, and of the
 * n-th line `run.line.n.tables`, `….scalars`, `….spans`, `….ranges`, `….starts` and `….logs`.
 */
export function pendingTensors({ lines, tables }: PendingRows): {
  json: Json;
  tensors: [string, Tensor][];
} {
  const tensors = (of: string, arrays: Record<string, Tensor['data']>): [string, Tensor][] =>
    Object.entries(arrays).map(([key, data]) => [`${of}.${key}`, { shape: [data.length], data }]);
  return {
    json: {
      lines: lines.map(({ moments, state }) => ({ ...moments, ...state.numbers })),
      tables: tables.map(({ name, line, buffers }) => ({
        name,
        line,
        buffers: Object.keys(buffers),
      })),
    },
    tensors: [
      ...lines.flatMap(({ state }, i) => tensors(`run.line.${i}`, state.arrays)),
      ...tables.flatMap(({ name, value, last, buffers }) =>
        tensors(`run.rows.${name}`, { value, last, ...buffers }),
      ),
    ],
  };
}

/** Reads pending rows from a file. Kernels use these numbers as indices, so each is checked. */
export function readPendingRows(fields: Fields, st: SafetensorsFile, opt: Optimizer): PendingRows {
  const lines = fields.objects('lines').map((line, i) => {
    const moments = { hasM: line.flag('hasM'), hasV: line.flag('hasV'), eps: line.number('eps') };
    if (!(moments.eps > 0)) line.wrong('eps', 'a positive number');
    return { moments, state: readLine(line, st, `run.line.${i}`) };
  });
  const parameters = new Map(opt.groups.flatMap(({ params }) => params.map((p) => [p.name, p])));
  const tables = fields.objects('tables').map((table) => {
    const name = table.text('name');
    const p = parameters.get(name);
    const line = table.count('line');
    const { moments, state } = lines[line] ?? table.wrong('line', 'the number of one of its lines');
    if (!p?.slots)
      throw new DataError(`it holds rows of "${name}", which is no table of the model.`);
    const kept = table.texts('buffers');
    const expected = [moments.hasM && 'gradAvg', moments.hasV && 'sqrAvg'].filter(Boolean);
    if ([...kept].sort().join() !== expected.join())
      table.wrong('buffers', 'the moments of its line');
    const values = (key: string): Float32Array =>
      st.read(`run.rows.${name}.${key}`, 'F32', [p.value.length]);
    const last = st.read(`run.rows.${name}.last`, 'I32', [p.shape[0]]);
    const { now, block } = state.numbers;
    if (last.some((at) => at > now || at < -1 - block))
      throw new DataError(`rows of "${name}" are at steps that its line does not have.`);
    const buffers = Object.fromEntries(kept.map((key) => [key, values(key)]));
    return { name, line, value: values('value'), last, buffers };
  });
  return { toJSON: () => undefined, lines, tables };
}

function readLine(line: Fields, st: SafetensorsFile, at: string): TimelineState {
  const numbers = Object.fromEntries(
    NUMBERS.map((name) => [name, line.number(name)]),
  ) as unknown as TimelineState['numbers'];
  for (const name of COUNTS) line.count(name);
  const { now, block, done } = numbers;
  if (now >= SLOTS - 1 || block >= MAX_BLOCKS || done > now)
    throw new DataError('a line of its rows is longer than any can be.');
  const slots = now + 1;
  const spans = st.read(`${at}.spans`, 'I32', [3 * slots]);
  const outside = new DataError(`${at}.spans does not lie in its tables.`);
  let used = 0;
  for (let i = 0; i < slots; i++) {
    const [lo, hi, start] = spans.subarray(3 * i, 3 * i + 3);
    if (!(lo >= 0 && hi >= lo + 3 && hi < STRIDE) || start + (lo & ~3) !== used) throw outside;
    used = start + (hi | 3) + 1;
  }
  if (used !== numbers.used || numbers.begin !== spans[3 * now + 2] + (spans[3 * now] & ~3))
    throw outside;
  return {
    numbers,
    arrays: {
      tables: st.read(`${at}.tables`, 'F32', [used]),
      scalars: st.read(`${at}.scalars`, 'F64', [3 * slots]),
      spans,
      ranges: st.read(`${at}.ranges`, 'F32', [RANGES]),
      starts: st.read(`${at}.starts`, 'F64', [2 * (block + 1)]),
      logs: st.read(`${at}.logs`, 'F64', [2 * slots]),
    },
  };
}
