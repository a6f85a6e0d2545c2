import type { Fields, Json } from '../data/files/fields.js';
import { openSafetensors, type SafetensorsFile, type Tensor } from '../data/files/safetensors.js';
import { fingerprint } from '../data/files/tensors.js';
import { display } from '../data/output.js';
import { DataError } from '../errors.js';
import { given } from '../options.js';
import { type FitCall, planOf } from './fit-plan.js';
import type { Learner } from './learner.js';
import { fileConfig, modelTensors, readModel, setValues, writeModelFile } from './model-file.js';
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
import type { LogRow, RecorderState } from './recorder.js';

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
  /**
   * Save the state of training too: the optimizer's, the number of epochs, and an unfinished run.
   * Default true.
   */
  withOpt: true,
};

/** Options of save. */
export type SaveOptions = Partial<typeof SAVE>;

const LOAD = {
  /**
   * Take over the state of training too, if the file has it. Default true; false leaves the
   * optimizer as it is.
   */
  withOpt: true,
  /**
   * Refuse a file of another model or of other users and items (default). False: take the
   * parameters whose names are the same, and leave the others.
   */
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
    Object.entries(dls.classes ?? {}).map(([name, vocabulary]) => [name, fingerprint(vocabulary)]),
  );
  const config = {
    model: model.constructor.name,
    classes,
    ...(withOpt && { training: trainingConfig(learn, tensors) }),
  };
  writeModelFile(file, 'checkpoint', { config, tensors });
}

/**
 * Adds the moments (`opt.PARAMETER.MOMENT`) and the record of an unfinished run to the tensors, and
 * returns the description of the rest.
 */
function trainingConfig(learn: Learner, tensors: Map<string, Tensor>): Json {
  const { opt, epochsTrained, unfinished } = learn;
  const { hypers, params } = opt.stateDict();
  const shapes = new Map(learn.model.parameters.map((p) => [p.name, p.shape]));
  const saved = Object.entries(params).map(([name, { step, buffers }]) => {
    for (const [key, data] of Object.entries(buffers))
      tensors.set(`opt.${name}.${key}`, { shape: shapes.get(name)!, data });
    return { name, step, buffers: Object.keys(buffers) };
  });
  const run = unfinished && runTensors(unfinished);
  for (const [name, tensor] of run?.tensors ?? []) tensors.set(name, tensor);
  return {
    epochsTrained,
    opt: { name: opt.constructor.name, hypers, params: saved },
    ...(run && { run: run.json }),
  };
}

/** See Learner.load. Reads and checks everything, then changes the learner. */
export function loadCheckpoint(learn: Learner, file: string, options: LoadOptions = {}): void {
  const { withOpt, strict } = given(LOAD, options, 'load');
  openSafetensors(file, (st) => {
    const config = fileConfig(st, ['checkpoint', 'learner']);
    if (strict) checkClasses(config, learn);
    const values = readModel(st, learn.model, { strict });
    const training =
      withOpt && config.has('training')
        ? readTraining(config.object('training'), st, learn)
        : undefined;
    learn.settle();
    if (training) {
      learn.opt.loadStateDict(training.opt); // changes nothing if it does not fit
      learn.epochsTrained = training.epochsTrained;
      learn.unfinished = training.run;
    } else if (withOpt)
      display().warn(
        `"${file}" holds no state of an optimizer: only the weights were loaded, the optimizer is as before. { withOpt: false } says that this is meant.`,
      );
    setValues(values);
  });
}

function checkClasses(config: Fields, learn: Learner): void {
  const saved = config.object('classes');
  for (const [name, vocabulary] of Object.entries(learn.dls.classes ?? {})) {
    if (saved.has(name) && saved.text(name) === fingerprint(vocabulary)) continue;
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
  const shapes = new Map(learn.model.parameters.map((p) => [p.name, p.shape]));
  const params: OptimizerState['params'] = {};
  for (const state of opt.objects('params')) {
    const of = state.text('name');
    const shape = shapes.get(of);
    if (!shape)
      throw new DataError(
        `it holds the optimizer's state of a parameter "${of}", which the model does not have.`,
      );
    const buffers = state
      .texts('buffers')
      .map((key) => [key, st.read(`opt.${of}.${key}`, 'F32', shape)] as const);
    params[of] = { step: state.count('step'), buffers: Object.fromEntries(buffers) };
  }
  const run = fields.has('run') ? readRun(fields.object('run'), st, learn) : undefined;
  return {
    opt: { hypers: readHypers(opt, learn), params },
    epochsTrained: fields.count('epochsTrained'),
    run,
  };
}

/**
 * An unfinished run as JSON and, for what grows with its length, tensors: `run.lrs`, `run.losses`,
 * `run.iters`, `run.values` and `run.hps.NAME`, all F64.
 */
function runTensors(run: UnfinishedRun): { json: Json; tensors: [string, Tensor][] } {
  const calls = run.calls as unknown as Json;
  if (!run.at) return { json: { calls }, tensors: [] };
  const { recorder, pendingRows, ...position } = run.at;
  const rows = pendingRows && pendingTensors(pendingRows);
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

/** Reads an unfinished run and checks that this learner could have been called so. */
function readRun(fields: Fields, st: SafetensorsFile, learn: Learner): UnfinishedRun {
  const calls = fields.objects('calls').map(readCall);
  if (calls.length === 0) fields.wrong('calls', 'a list of at least one call');
  for (const call of calls) planOf(call, learn);
  return fields.has('at') ? { calls, at: readPosition(fields.object('at'), st, learn) } : { calls };
}

function readCall(fields: Fields): FitCall {
  const method = fields.text('method');
  const call = {
    lr: readRate(fields),
    options: readOptions(fields.object('options')),
    ...(fields.has('freezeTo') && { freezeTo: fields.number('freezeTo') }),
  };
  const count = (name: string): number => fields.count(name);
  if (method === 'fitSgdr')
    return { method, nCycles: count('nCycles'), cycleLen: count('cycleLen'), ...call };
  if (method !== 'fit' && method !== 'fitOneCycle' && method !== 'fitFlatCos')
    return fields.wrong('method', 'a kind of run');
  return { method, nEpoch: count('nEpoch'), ...call };
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
      pendingRows: readPendingRows(fields.object('unsettled'), st, learn.opt),
    }),
  };
}

/**
 * Hyper-parameters of the groups under `hypers`, which must be those of the learner's optimizer.
 */
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
    kept.forEach((k, i) => {
      k.value.set(values[i]);
    });
    if (state) learn.opt.loadStateDict(state);
  };
}
