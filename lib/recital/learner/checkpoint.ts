import { display } from '../data/display.js';
import { Fields, type Json } from '../data/files/fields.js';
import {
  openSafetensors,
  type SafetensorsFile,
  type Tensor,
  type TensorSource,
  withChecksum,
  writeSafetensors,
} from '../data/files/safetensors.js';
import { fingerprint } from '../data/packed-strings.js';
import { ArgumentError, DataError, NumericError } from '../errors.js';
import type { Model } from '../nn/model.js';
import { checkOptions } from '../options.js';
import type { Learner } from './learner.js';
import { firstNotFinite } from './not-finite.js';
import type { OptimizerState } from './optimizers/optimizer.js';
import type { UnfinishedRun } from './resume.js';
import { readHypers, readRun, runTensors } from './saved-run.js';

/** Options of save. */
export interface SaveOptions {
  /**
   * Save the state of training too: the optimizer's, the number of epochs, and an unfinished run.
   * Default true.
   */
  withOpt?: boolean;
}

/** Options of load. */
export interface LoadOptions {
  /**
   * Take over the state of training too, if the file has it. Default true; false leaves the
   * optimizer as it is.
   */
  withOpt?: boolean;
  /**
   * Refuse a file of another model or of other users and items (default). False: take the
   * parameters whose names are the same, and leave the others.
   */
  strict?: boolean;
}

const VERSION = 1;

/**
 * What is in a file: weights for a learner that is there already, all that a new learner needs, or
 * a recommender that is no learner.
 */
export type FileKind = 'checkpoint' | 'learner' | 'recommender';

/** The metadata of our files, by name; `sha256` came later, so that older files have none. */
const known = ['format', 'version', 'kind', 'config', 'sha256'];

/**
 * Writes a file of ours: tensors, and as metadata what it is, in which version, a description as
 * JSON, and a checksum of all of it.
 */
export function writeModelFile(
  file: string,
  kind: FileKind,
  { config, tensors }: { config: Json; tensors: ReadonlyMap<string, Tensor> },
): void {
  const metadata = {
    format: 'recital',
    version: String(VERSION),
    kind,
    config: JSON.stringify(config),
  };
  writeSafetensors(file, tensors, { metadata: withChecksum(metadata, tensors) });
}

/** Checks that a file is ours and whole, and returns its description. */
export function fileConfig(st: SafetensorsFile, kinds: readonly FileKind[]): Fields {
  const { metadata } = st;
  if (metadata.format !== 'recital')
    throw new DataError(
      'it is a safetensors file, but not one that learn.save or learn.export wrote.',
    );
  if (Number(metadata.version) > VERSION)
    throw new DataError(
      `a later recital wrote it (format ${metadata.version}, known is ${VERSION}): update recital.`,
    );
  if (metadata.version !== String(VERSION))
    throw new DataError(`its format is "${metadata.version}"; ${VERSION} was expected.`);
  const odd = Object.keys(metadata).find((name) => !known.includes(name));
  if (odd !== undefined)
    throw new DataError(
      `it has metadata of an unknown name, ${JSON.stringify(odd)}; known are: ${known.join(', ')}. Is it damaged?`,
    );
  st.checkSum();
  if (!kinds.includes(metadata.kind as FileKind)) {
    const hint =
      'It holds weights without vocabularies: make loaders and a learner as before, then learn.load(file); or write it by learn.export.';
    throw new DataError(
      metadata.kind === 'checkpoint'
        ? `it is a checkpoint, written by learn.save. ${hint}`
        : `its kind is "${metadata.kind}"; ${kinds.join(' or ')} was expected.`,
    );
  }
  return Fields.parse(metadata.config, 'config');
}

/**
 * The weights (`model.NAME`) and other state (`buffers.NAME`) of a model: views, to be written at
 * once.
 */
export function modelTensors(model: Model): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  const add = (name: string, shape: readonly number[], data: Float32Array): void => {
    if (tensors.has(name))
      throw new ArgumentError(
        `The model has two parameters or buffers of the name ${name}, so it cannot be saved: names must differ.`,
      );
    tensors.set(name, { shape, data });
  };
  for (const { name, shape, value } of model.parameters) {
    const bad = firstNotFinite(value);
    if (bad >= 0)
      throw new NumericError(
        `Parameter ${name} holds ${value[bad]} at position ${bad}, so the model is not saved: no file was changed.`,
      );
    add(`model.${name}`, shape, value);
  }
  for (const { name, value } of model.buffers ?? []) add(`buffers.${name}`, [value.length], value);
  return tensors;
}

/** Values from a file, and where they belong. */
export type Values = readonly { readonly to: Float32Array; readonly values: Float32Array }[];

/** Reads and checks a model's weights and buffers; nothing is changed before `setValues`. */
export function readModel(
  st: TensorSource,
  model: Model,
  { strict = true }: { strict?: boolean } = {},
): Values {
  const found: { to: Float32Array; values: Float32Array }[] = [];
  const missing: string[] = [];
  const wanted = new Set<string>();
  const take = (name: string, shape: readonly number[], to: Float32Array): void => {
    wanted.add(name);
    if (!st.tensors.has(name)) {
      missing.push(name);
      return;
    }
    const values = st.read(name, 'F32', shape);
    const bad = name.startsWith('model.') ? firstNotFinite(values) : -1;
    if (bad >= 0)
      throw new DataError(
        `tensor "${name}" holds ${values[bad]} at position ${bad}; finite weights were expected.`,
      );
    found.push({ to, values });
  };
  for (const { name, shape, value } of model.parameters) take(`model.${name}`, shape, value);
  for (const { name, value } of model.buffers ?? []) take(`buffers.${name}`, [value.length], value);
  const unexpected = [...st.tensors.keys()].filter(
    (name) => /^(model|buffers)\./.test(name) && !wanted.has(name),
  );
  if (missing.length + unexpected.length > 0) {
    const what = [
      missing.length ? `missing: ${missing.join(', ')}` : '',
      unexpected.length ? `unexpected: ${unexpected.join(', ')}` : '',
    ]
      .filter(Boolean)
      .join('; ');
    if (strict || found.length === 0)
      throw new DataError(`its parameters are not those of ${model.constructor.name} (${what}).`);
    display().warn(`Only parameters of the same name were loaded (${what}).`);
  }
  return found;
}

/** Puts values where they belong. */
export function setValues(all: Values): void {
  for (const { to, values } of all) to.set(values);
}

/** See Learner.save. */
export function saveCheckpoint(learn: Learner, file: string, options: SaveOptions = {}): void {
  checkOptions(options, ['withOpt'], 'save');
  const { withOpt = true } = options;
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
 * returns what is left to describe.
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
  checkOptions(options, ['withOpt', 'strict'], 'load');
  const { withOpt = true, strict = true } = options;
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
    } else if (withOpt) {
      display().warn(
        `"${file}" holds no state of an optimizer: only the weights were loaded, the optimizer is as before. { withOpt: false } says that this is meant.`,
      );
    }
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
  if (opt.text('name') !== name) {
    throw new DataError(
      `it holds the state of ${opt.text('name')}, the learner's optimizer is ${name}. Give the learner the same optFunc, or load with { withOpt: false }.`,
    );
  }
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
