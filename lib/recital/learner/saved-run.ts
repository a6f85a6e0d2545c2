import type { Fields, Json } from '../data/files/fields.js';
import type { SafetensorsFile, Tensor } from '../data/files/safetensors.js';
import { DataError } from '../errors.js';
import { type FitCall, planOf } from './fit.js';
import type { LearningRate } from './groups.js';
import type { Learner } from './learner.js';
import { checkHyper, type Hypers } from './optimizers/optimizer.js';
import { readUnsettled, unsettledTensors } from './optimizers/time-skipping/saved-unsettled.js';
import type { LogRow, RecorderState } from './recorder.js';
import type { RunPosition, UnfinishedRun } from './resume.js';

/**
 * An unfinished run as JSON and, for what grows with its length, tensors: `run.lrs`, `run.losses`,
 * `run.iters`, `run.values` and `run.hps.NAME`, all F64.
 */
export function runTensors(run: UnfinishedRun): { json: Json; tensors: [string, Tensor][] } {
  const calls = run.calls as unknown as Json;
  if (!run.at) return { json: { calls }, tensors: [] };
  const { recorder, unsettled, ...position } = run.at;
  const rows = unsettled && unsettledTensors(unsettled);
  const { lrs, losses, iters, values, hps, smooth } = recorder;
  const column = (name: string, each: readonly number[]): [string, Tensor] => [
    `run.${name}`,
    { shape: [each.length], data: Float64Array.from(each) },
  ];
  const width = values[0]?.length ?? 0;
  const table = Float64Array.from(values.flat(), (v) => v ?? NaN);
  return {
    json: {
      calls,
      at: {
        ...position,
        hps: Object.keys(hps),
        smooth,
        ...(rows && { unsettled: rows.json }),
      } as unknown as Json,
    },
    tensors: [
      column('lrs', lrs),
      column('losses', losses),
      column('iters', iters),
      ['run.values', { shape: [values.length, width], data: table }],
      ...Object.entries(hps).map(([name, each]) => column(`hps.${name}`, each)),
      ...(rows?.tensors ?? []),
    ],
  };
}

/**
 * An unfinished run from a file, checked: its calls are such as this learner could have been asked
 * for.
 */
export function readRun(fields: Fields, st: SafetensorsFile, learn: Learner): UnfinishedRun {
  const calls = fields.objects('calls').map(readCall);
  if (calls.length === 0) fields.wrong('calls', 'a list of at least one call');
  for (const call of calls) planOf(call, learn);
  return fields.has('at') ? { calls, at: readPosition(fields.object('at'), st, learn) } : { calls };
}

function readCall(fields: Fields): FitCall {
  const method = fields.text('method');
  const lr = readRate(fields);
  const options = readOptions(fields.object('options'));
  const freezeTo = fields.has('freezeTo') ? { freezeTo: fields.number('freezeTo') } : {};
  if (method === 'fitSgdr')
    return {
      method,
      nCycles: fields.count('nCycles'),
      cycleLen: fields.count('cycleLen'),
      lr,
      options,
      ...freezeTo,
    };
  if (method !== 'fit' && method !== 'fitOneCycle' && method !== 'fitFlatCos')
    return fields.wrong('method', 'a kind of run');
  return { method, nEpoch: fields.count('nEpoch'), lr, options, ...freezeTo };
}

function readRate(fields: Fields): LearningRate {
  if (fields.isList('lr')) return fields.numbers('lr');
  if (!fields.isObject('lr')) return fields.number('lr');
  const slice = fields.object('lr').only(['start', 'stop']);
  return slice.has('start')
    ? { start: slice.number('start'), stop: slice.number('stop') }
    : { stop: slice.number('stop') };
}

/** Options of every kind of run: numbers but for two. */
function readOptions(fields: Fields): FitCall['options'] {
  const numbers = ['wd', 'startEpoch', 'div', 'divFinal', 'pctStart', 'cycleMult'];
  fields.only([...numbers, 'resetOpt', 'moms']);
  const options: Record<string, unknown> = {};
  for (const name of numbers) if (fields.has(name)) options[name] = fields.number(name);
  if (fields.has('resetOpt')) options.resetOpt = fields.flag('resetOpt');
  if (fields.has('moms')) options.moms = fields.numbers('moms', 3);
  return options;
}

function readPosition(fields: Fields, st: SafetensorsFile, learn: Learner): RunPosition {
  return {
    epoch: fields.count('epoch'),
    iter: fields.count('iter'),
    nIter: fields.count('nIter'),
    order: fields.count('order'),
    pctTrain: fields.number('pctTrain'),
    trainIter: fields.count('trainIter'),
    hypers: readHypers(fields, learn),
    frozenTo: fields.count('frozenTo'),
    recorder: readRecorder(fields, st),
    ...(fields.has('unsettled') && {
      unsettled: readUnsettled(fields.object('unsettled'), st, learn.opt),
    }),
  };
}

/**
 * Hyper-parameters of the groups under `hypers`, which must be those of the learner's optimizer.
 */
export function readHypers(fields: Fields, learn: Learner): Hypers[] {
  const { groups } = learn.opt;
  const saved = fields.objects('hypers');
  if (saved.length !== groups.length)
    throw new DataError(
      `it has ${saved.length} parameter groups, the learner has ${groups.length}.`,
    );
  return saved.map((hypers, i) => {
    const names = Object.keys(groups[i].hypers);
    hypers.only(names);
    for (const name of names) checkHyper(name, hypers.number(name));
    return Object.fromEntries(names.map((name) => [name, hypers.number(name)]));
  });
}

function readRecorder(fields: Fields, st: SafetensorsFile): RecorderState {
  const column = (name: string): number[] => Array.from(st.read(`run.${name}`, 'F64'));
  const [rows = 0, width = 0] = st.tensors.get('run.values')?.shape ?? [];
  const values = column('values');
  if (rows * width !== values.length || (rows > 0 && width === 0))
    throw new DataError('its run.values is not a table.');
  const smooth = fields.object('smooth');
  return {
    lrs: column('lrs'),
    losses: column('losses'),
    iters: column('iters'),
    values: Array.from(
      { length: rows },
      (_, r): LogRow =>
        values.slice(r * width, (r + 1) * width).map((v) => (Number.isNaN(v) ? null : v)),
    ),
    hps: Object.fromEntries(fields.texts('hps').map((name) => [name, column(`hps.${name}`)])),
    smooth: { count: smooth.count('count'), v: smooth.number('v') },
  };
}
