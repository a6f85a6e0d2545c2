import { openSafetensors, type SafetensorsFile, type Tensor } from '../data/files/safetensors.js';
import { classesHash } from '../data/files/tensors.js';
import { display } from '../data/output.js';
import { DataError } from '../errors.js';
import type { Fields, Json } from '../fields.js';
import { given } from '../options.js';
import type { Learner } from './learner.js';
import { fileConfig, modelTensors, readModel, writeModelFile } from './model-file.js';
import {
  checkHyper,
  type Hypers,
  type LearningRate,
  type OptimizerState,
} from './optimizers/optimizer.js';
import {
  type PendingRows,
  pendingTensors,
  readPendingRows,
} from './optimizers/time-skipping/pending-rows.js';
import type { RecorderState } from './recorder.js';
import { type FitCall, planOf } from './schedules.js';

/**
 * The position of a run between two batches: plain data.
 * @example const at: RunPosition | undefined = learn.resumed;
 */
export interface RunPosition {
  /** Current epoch. */
  readonly epoch: number;
  /** Training batches done in it. */
  readonly iter: number;
  /** Training batches of an epoch. */
  readonly nIter: number;
  /** Number of the order in which the epoch's rows are drawn. */
  readonly order: number;
  /** Position in the run, 0 … 1. */
  readonly pctTrain: number;
  /** Training batches done in the run. */
  readonly trainIter: number;
  /** Hyper-parameters of the optimizer's groups. */
  readonly hypers: readonly Hypers[];
  /** Groups before this one are frozen. */
  readonly frozenTo: number;
  /** The record of the run so far. */
  readonly recorder: RecorderState;
  /**
   * Pending updates of tables (time-skipping). JSON leaves them out: without them the run ends with
   * the same numbers up to rounding.
   */
  readonly pendingRows?: PendingRows;
}

/**
 * The resume state of an unfinished run, as plain data that JSON can hold. Together with weights,
 * the model's buffers and the optimizer's state it is complete: the order of the rows depends only
 * on the loaders' seed and the number of the epoch, and the schedule on the position in the run. So
 * a resumed run ends with the weights of one that was never interrupted.
 * @example const run: UnfinishedRun | undefined = learn.unfinished;
 */
export interface UnfinishedRun {
  /** The current call, then those after it. */
  readonly calls: readonly FitCall[];
  /** The position in the first call; undefined: it has not begun. */
  readonly at?: RunPosition;
}

const SAVE = {
  /** Save the optimizer's state, the number of epochs and an unfinished run too; default true. */
  withOpt: true,
};

/** Options of save. */
export type SaveOptions = Partial<typeof SAVE>;

const LOAD = {
  /** Take over the state of training too, if the file has it; default true. */
  withOpt: true,
  /** Refuse a file of another model, users or tracks (default); false: take what has its name. */
  strict: true,
};

/** Options of load. */
export type LoadOptions = Partial<typeof LOAD>;

/** See Learner.save. */
export function saveCheckpoint(learn: Learner, file: string, options: SaveOptions = {}): void {
  const { withOpt } = given(SAVE, options, 'save');
  learn.settle();
  const { model, dls } = learn;
  const tensors = modelTensors(model);
  const classes = Object.fromEntries(
    Object.entries(dls.classes ?? {}).map(([name, vocabulary]) => [name, classesHash(vocabulary)]),
  );
  const training = withOpt && { training: trainingConfig(learn, tensors) };
  const config = { model: model.constructor.name, classes, ...training };
  writeModelFile(file, 'checkpoint', { config, tensors });
}

/**
 * Adds the moments (`opt.PARAMETER.MOMENT`) and the record of an unfinished run to the tensors, and
 * returns the description of the rest.
 */
function trainingConfig(learn: Learner, tensors: Map<string, Tensor>): Json {
  const { opt, epochsTrained, unfinished } = learn;
  const { hypers, params } = opt.stateDict();
  const shapes = shapesOf(learn);
  const saved = Object.entries(params).map(([name, { step, buffers }]) => {
    for (const [key, data] of Object.entries(buffers))
      tensors.set(`opt.${name}.${key}`, { shape: shapes.get(name)!, data });
    return { name, step, buffers: Object.keys(buffers) };
  });
  return {
    epochsTrained,
    opt: { name: opt.constructor.name, hypers, params: saved },
    ...(unfinished && { run: runConfig(unfinished, tensors) }),
  };
}

const shapesOf = ({ model }: Learner): Map<string, readonly number[]> =>
  new Map(model.parameters.map((p) => [p.name, p.shape]));

/**
 * An unfinished run as JSON and, for what grows with its length, tensors: `run.lrs`, `run.losses`,
 * `run.iters`, `run.values` and `run.hps.NAME`, all F64.
 */
function runConfig({ calls, at }: UnfinishedRun, tensors: Map<string, Tensor>): Json {
  if (!at) return { calls: calls as unknown as Json };
  const { recorder, pendingRows, ...position } = at;
  const { lrs, losses, iters, values, hps, smooth } = recorder;
  const named = Object.entries(hps).map(([name, each]) => [`hps.${name}`, each] as const);
  for (const [name, each] of [...Object.entries({ lrs, losses, iters }), ...named])
    tensors.set(`run.${name}`, { shape: [each.length], data: Float64Array.from(each) });
  const table = Float64Array.from(values.flat(), (v) => v ?? NaN);
  tensors.set('run.values', { shape: [values.length, values[0]?.length ?? 0], data: table });
  const rows = pendingRows && pendingTensors(pendingRows);
  for (const [name, tensor] of rows?.tensors ?? []) tensors.set(name, tensor);
  const unsettled = rows && { unsettled: rows.json };
  const json = { calls, at: { ...position, hps: Object.keys(hps), smooth, ...unsettled } };
  return json as unknown as Json;
}

/** See Learner.load. Reads and checks everything, then changes the learner. */
export function loadCheckpoint(learn: Learner, file: string, options: LoadOptions = {}): void {
  const { withOpt, strict } = given(LOAD, options, 'load');
  openSafetensors(file, (st) => {
    const config = fileConfig(st, ['checkpoint', 'learner']);
    if (strict) checkClasses(config, learn);
    const setWeights = readModel(st, learn.model, { strict });
    const saved = withOpt && config.has('training') ? config.object('training') : undefined;
    const training = saved && readTraining(saved, st, learn);
    learn.settle();
    if (training) {
      learn.opt.loadStateDict(training.opt); // changes nothing if it does not fit
      learn.epochsTrained = training.epochsTrained;
      learn.unfinished = training.run;
    } else if (withOpt)
      display().warn(
        `"${file}" holds no state of an optimizer: only the weights were loaded, the optimizer is as before. { withOpt: false } says that this is meant.`,
      );
    setWeights();
  });
}

function checkClasses(config: Fields, learn: Learner): void {
  const saved = config.object('classes');
  for (const [name, vocabulary] of Object.entries(learn.dls.classes ?? {})) {
    if (saved.has(name) && saved.text(name) === classesHash(vocabulary)) continue;
    throw new DataError(
      `it is for other classes of ${name} than these loaders have, so weights would go to the wrong ones. Make the loaders of the same data with the same split, or load with { strict: false }.`,
    );
  }
}

function readTraining(
  fields: Fields,
  st: SafetensorsFile,
  learn: Learner,
): { opt: OptimizerState; epochsTrained: number; run: UnfinishedRun | undefined } {
  const opt = fields.object('opt');
  const name = learn.opt.constructor.name;
  if (opt.text('name') !== name)
    throw new DataError(
      `it holds the state of ${opt.text('name')}, the learner's optimizer is ${name}. Give the learner the same optFunc, or load with { withOpt: false }.`,
    );
  const shapes = shapesOf(learn);
  const params: OptimizerState['params'] = {};
  for (const state of opt.objects('params')) {
    const of = state.text('name');
    const shape = shapes.get(of);
    if (!shape)
      throw new DataError(
        `it holds the optimizer's state of a parameter "${of}", which the model does not have.`,
      );
    const read = (key: string): [string, Float32Array] => [
      key,
      st.read(`opt.${of}.${key}`, 'F32', shape),
    ];
    const buffers = Object.fromEntries(state.texts('buffers').map(read));
    params[of] = { step: state.count('step'), buffers };
  }
  const run = fields.has('run') ? readRun(fields.object('run'), st, learn) : undefined;
  const epochsTrained = fields.count('epochsTrained');
  return { opt: { hypers: readHypers(opt, learn), params }, epochsTrained, run };
}

/** Reads an unfinished run and checks that this learner could have been called so. */
function readRun(fields: Fields, st: SafetensorsFile, learn: Learner): UnfinishedRun {
  const calls = fields.objects('calls').map(readCall);
  if (calls.length === 0) fields.wrong('calls', 'a list of at least one call');
  for (const call of calls) planOf(call, learn);
  return fields.has('at') ? { calls, at: readPosition(fields.object('at'), st, learn) } : { calls };
}

function readCall(fields: Fields): FitCall {
  const method = fields.oneOf('method', ['fit', 'fitOneCycle', 'fitFlatCos', 'fitSgdr']);
  const call = {
    lr: readRate(fields),
    options: readOptions(fields.object('options')),
    ...(fields.has('freezeTo') && { freezeTo: fields.number('freezeTo') }),
  };
  if (method !== 'fitSgdr') return { method, nEpoch: fields.count('nEpoch'), ...call };
  const [nCycles, cycleLen] = [fields.count('nCycles'), fields.count('cycleLen')];
  return { method, nCycles, cycleLen, ...call };
}

function readRate(fields: Fields): LearningRate {
  if (fields.isList('lr')) return fields.numbers('lr');
  if (!fields.isObject('lr')) return fields.number('lr');
  const slice = fields.object('lr').only(['start', 'stop']);
  const stop = slice.number('stop');
  return slice.has('start') ? { start: slice.number('start'), stop } : { stop };
}

/** Options of every kind of run; earlier versions had two more, which say how a run begins. */
function readOptions(fields: Fields): FitCall['options'] {
  const numbers = ['wd', 'div', 'divFinal', 'pctStart', 'cycleMult'];
  fields.only([...numbers, 'moms', 'resetOpt', 'startEpoch']);
  const options: Record<string, unknown> = {};
  for (const name of numbers) if (fields.has(name)) options[name] = fields.number(name);
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
      pendingRows: readPendingRows(fields.object('unsettled'), st, learn.opt),
    }),
  };
}

/** Hyper-parameters of the groups, which must be those of the learner's optimizer. */
function readHypers(fields: Fields, learn: Learner): Hypers[] {
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
  const table = column('values').map((v) => (Number.isNaN(v) ? null : v));
  if (rows * width !== table.length || (rows > 0 && width === 0))
    throw new DataError('its run.values is not a table.');
  const values = Array.from({ length: rows }, (_, r) => table.slice(r * width, (r + 1) * width));
  const hps = Object.fromEntries(fields.texts('hps').map((name) => [name, column(`hps.${name}`)]));
  const smooth = fields.object('smooth');
  return {
    lrs: column('lrs'),
    losses: column('losses'),
    iters: column('iters'),
    values,
    hps,
    smooth: { count: smooth.count('count'), v: smooth.number('v') },
  };
}

/**
 * Copies a learner's weights, the model's other state and, with `withOpt`, the optimizer's; returns
 * what restores them.
 */
export function keepState(learn: Learner, { withOpt }: { withOpt: boolean }): () => void {
  learn.settle();
  const kept = [...learn.model.parameters, ...(learn.model.buffers ?? [])];
  const values = kept.map((k) => k.value.slice());
  const state = withOpt ? learn.opt.stateDict() : undefined;
  return () => {
    learn.settle();
    for (const [i, { value }] of kept.entries()) value.set(values[i]);
    if (state) learn.opt.loadStateDict(state);
  };
}
