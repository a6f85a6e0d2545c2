import { Chart } from '../data/output.js';
import { RecitalError } from '../errors.js';
import type { LrFindResult, Suggestions } from './lr-find.js';
import type { Recorder } from './recorder.js';

type Row = Record<string, number | string>;

const SIZE = { width: 480, height: 280 };

/**
 * At most `most` of the rows, evenly spaced and with the last: a chart of 100,000 batches is drawn
 * from 1,000 of them.
 */
function thin(rows: Row[], most = 1000): Row[] {
  if (rows.length <= most) return rows;
  const step = (rows.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, i) => rows[Math.round(i * step)]);
}

/** The loss curves of a run. `batches`: those of the whole run, for a chart that grows with it. */
export function plotLoss(
  { losses, iters, values }: Recorder,
  { skipStart, batches }: { skipStart: number; batches?: number },
): Chart {
  if (!losses.length)
    throw new RecitalError('There is no run to plot yet: call fit or fitOneCycle first.');
  const from = losses.length > skipStart ? skipStart : 0;
  const train = losses.map((loss, i): Row => ({ batch: i + 1, loss, curve: 'train' })).slice(from);
  const valid = values.flatMap(([, loss], i): Row[] =>
    loss === null ? [] : [{ batch: iters[i], loss, curve: 'valid' }],
  );
  const last = valid.at(-1)?.loss as number | undefined;
  const validation = last === undefined ? '' : ` and the validation loss at ${last.toFixed(4)}`;
  return new Chart(
    {
      ...SIZE,
      data: { values: [...thin(train), ...valid] },
      mark: { type: 'line', point: valid.length === 1 },
      encoding: {
        x: {
          field: 'batch',
          type: 'quantitative',
          title: 'training batches',
          ...(batches && { scale: { domain: [0, batches] } }),
        },
        y: { field: 'loss', type: 'quantitative', title: 'loss', scale: { zero: false } },
        color: { field: 'curve', type: 'nominal', title: null },
        tooltip: [{ field: 'curve' }, { field: 'batch' }, { field: 'loss', format: '.5f' }],
      },
    },
    'Loss during training',
    `Loss over ${losses.length.toLocaleString('en')} training batches; the smoothed training loss ends at ${losses[losses.length - 1].toFixed(4)}${validation}.`,
  );
}

/** The scheduled hyper-parameters of a run, one panel each. */
export function plotSched({ hps }: Recorder): Chart {
  const names = Object.keys(hps);
  if (!names.length)
    throw new RecitalError('The last run had no schedule: call fitOneCycle first.');
  const panel = (name: string): Record<string, unknown> => ({
    width: 240,
    height: 180,
    data: { values: thin(hps[name].map((value, i): Row => ({ batch: i + 1, value }))) },
    mark: 'line',
    encoding: {
      x: { field: 'batch', type: 'quantitative', title: 'training batches' },
      y: {
        field: 'value',
        type: 'quantitative',
        title: name,
        scale: { zero: false },
        axis:
          name === 'lr'
            ? { labelExpr: "datum.value == 0 ? '0' : format(datum.value, '.2~e')" }
            : {},
      },
      tooltip: [{ field: 'batch' }, { field: 'value', format: '.3~e' }],
    },
  });
  const courses = names.map((name) => `${name} ${course(hps[name])}`);
  return new Chart(
    { hconcat: names.map(panel) },
    'Hyper-parameters during training',
    `Schedules: ${courses.join('; ')}.`,
  );
}

/**
 * Where a schedule starts, has its extreme and ends: "from 0.0002 to 0.005 at batch 1,969 of 7,875,
 * then to 5.04e-8".
 */
function course(values: readonly number[]): string {
  const written = (x: number): string => String(Number(x.toPrecision(3)));
  const [first, last] = [values[0], values[values.length - 1]];
  const beyond = (x: number): number =>
    Math.max(Math.min(first, last) - x, x - Math.max(first, last));
  const [from, to] = [`from ${written(first)} to`, written(last)];
  let peak = 0;
  for (let i = 1; i < values.length; i++) if (beyond(values[i]) > beyond(values[peak])) peak = i;
  if (beyond(values[peak]) <= 1e-6 * Math.abs(first))
    return first === last ? `stays at ${to}` : `${from} ${to}`;
  const place = `at batch ${(peak + 1).toLocaleString('en')} of ${values.length.toLocaleString('en')}`;
  return `${from} ${written(values[peak])} ${place}, then to ${to}`;
}

const COLOURS = { valley: '#d55e00', slide: '#009e73', minimum: '#cc79a7', steep: '#e69f00' };
const ROOM = 0.3; // of the height, above the curve: a line for the name of each suggestion

/**
 * The loss against the learning rate, with the suggestions: a point on the curve, and its name and
 * value above it.
 */
export function plotLrFind({
  lrs: all,
  losses,
  points,
}: Pick<LrFindResult, 'lrs' | 'losses'> & { points: Suggestions }): Chart {
  const lrs = all.slice(0, -5);
  const curve = lrs.map((lr, i) => ({ lr, loss: losses[i] }));
  const values = curve.filter(({ loss }) => Number.isFinite(loss));
  const marked = Object.entries(points).map(([suggestion, point]) => {
    const note = point.value === point.lr ? '' : ' (a tenth of it)';
    return { ...point, suggestion, text: `${suggestion} ${point.value.toExponential(2)}${note}` };
  });
  const heights = values.map(({ loss }) => loss);
  const [low, high] = [Math.min(...heights), Math.max(...heights)];
  const range = high - low || Math.abs(high) || 1;
  const [first, last] = [lrs[0], lrs[lrs.length - 1]];
  const middle = Math.sqrt(first * last);
  const labelled = [...marked]
    .sort((a, b) => a.lr - b.lr)
    .map(({ lr, loss, suggestion, text }, i): Row => {
      const top = high + (range * ROOM * (i + 1)) / marked.length;
      return { lr, loss, suggestion, text, top, side: lr > middle ? 'left' : 'right' };
    });
  const powers = Array.from({ length: 41 }, (_, i) => 10 ** (i - 20)).filter(
    (lr) => lr >= first / 10 && lr <= last * 10,
  );
  const x = {
    field: 'lr',
    type: 'quantitative',
    title: 'learning rate',
    scale: { type: 'log' },
    axis: { labelExpr: "replace(format(datum.value, '.0e'), '+', '')", values: powers },
  };
  const domain = values.length && marked.length && { domain: [low, high + range * (ROOM + 0.05)] };
  const scale = { zero: false, ...(domain || {}) };
  const y = { field: 'loss', type: 'quantitative', title: 'smoothed loss', scale };
  const colours = { domain: Object.keys(COLOURS), range: Object.values(COLOURS) };
  const color = { field: 'suggestion', type: 'nominal', scale: colours, legend: null };
  const tooltip = [
    { field: 'lr', format: '.2e' },
    { field: 'loss', format: '.4f' },
  ];
  const label = (side: string): Record<string, unknown> => {
    const place = side === 'right' ? { align: 'left', dx: 5 } : { align: 'right', dx: -5 };
    return {
      transform: [{ filter: `datum.side === '${side}'` }],
      mark: { type: 'text', ...place, baseline: 'top' },
      encoding: { x, y: { ...y, field: 'top' }, text: { field: 'text' } },
    };
  };
  const sides = ['left', 'right'].filter((side) => labelled.some((point) => point.side === side));
  const suggestions = [
    { mark: { type: 'rule', strokeWidth: 1.5 }, encoding: { x, y, y2: { field: 'top' }, color } },
    ...sides.map(label),
    {
      mark: { type: 'point', filled: true, size: 90, opacity: 1 },
      encoding: { x, y, color, tooltip: [{ field: 'text', title: 'suggestion' }, ...tooltip] },
    },
  ];
  const layer = [
    { data: { values }, mark: 'line', encoding: { x, y, tooltip } },
    { data: { values: labelled }, layer: suggestions },
  ];
  const texts = marked.map(({ text }) => text).join('; ');
  return new Chart(
    { ...SIZE, layer },
    'Learning rate finder',
    `Loss against learning rate; suggestions: ${texts || 'none'}.`,
  );
}
