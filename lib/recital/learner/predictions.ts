import type { DataLoader } from '../data/batches.js';
import { display } from '../data/output.js';
import { Table } from '../data/table.js';
import { ArgumentError, NumericError } from '../errors.js';
import { checkArgument, checkNumber, given, isFunction, said } from '../options.js';
import type { Callback } from './callback.js';
import type { Learner } from './learner.js';
import { reportWeights } from './loop.js';

/** The options of getPreds, with their defaults. */
export const PREDS = {
  /** 0 the training set (whole, in order), 1 (default) the validation set. */
  dsIdx: 1 as 0 | 1,
  /** Another loader instead, e.g. `dls.testDl(rows)`. */
  dl: undefined as DataLoader | undefined,
  /** Return the inputs too; default false. */
  withInput: false,
  /** Return the decisions too, e.g. 0 or 1 for a binary loss; default false. */
  withDecoded: false,
  /** Return each row's loss too; default false. */
  withLoss: false,
  /** Function applied to the model's output; default: the loss's (for logits a sigmoid). */
  act: undefined as ((x: number) => number) | undefined,
};

/** Options of getPreds. */
export type GetPredsOptions = Partial<typeof PREDS>;

/** Predictions of a part of the data, row by row. */
export interface Predictions {
  /** Activated predictions, rows × outputs. */
  readonly preds: Float32Array;
  /** Targets; NaN where the data have none. */
  readonly targets: Float32Array;
  /** Each row's number in the data that the loaders were made from. */
  readonly rows: Int32Array;
  /** One array per input column, if asked for. */
  readonly inputs?: readonly Int32Array[];
  /** The decision of each row, if asked for. */
  readonly decoded?: Float32Array;
  /** The loss of each row, if asked for. */
  readonly losses?: Float32Array;
}

/** Throws unless this is 0 or 1. */
export function checkDsIdx(dsIdx: unknown): asserts dsIdx is 0 | 1 {
  if (dsIdx !== 0 && dsIdx !== 1)
    throw new ArgumentError(
      `dsIdx is 0 for the training set or 1 for the validation set, got ${said(dsIdx)}.`,
    );
}

/** See Learner.getPreds. */
export async function getPreds(
  learn: Learner,
  options: GetPredsOptions = {},
): Promise<Predictions> {
  const { dsIdx, act, withInput, withDecoded, withLoss, ...all } = given(
    PREDS,
    options,
    'getPreds',
  );
  learn.loop.checkAtRest();
  const isLoader = all.dl === undefined || typeof all.dl?.inOrder === 'function';
  checkArgument(isLoader, all.dl, 'getPreds', 'dl, a loader such as dls.valid');
  const isAct = act === undefined || isFunction(act);
  checkArgument(isAct, act, 'getPreds', 'act, a function of a number, such as Math.exp');
  const dl = (all.dl ?? learn.loader(dsIdx)).inOrder();
  const { n, bs } = dl;
  if (n === 0)
    throw new ArgumentError('There are no rows to predict: this part of the data is empty.');
  const { lossFunc, model } = learn;
  const { outputs } = model;
  const raw = new Float32Array(n * outputs);
  const targets = new Float32Array(n);
  const rows = new Int32Array(n);
  const losses = withLoss ? new Float32Array(n) : undefined;
  let inputs: Int32Array[] | undefined;
  let done = 0;
  const batchLosses = new Float64Array(bs).fill(NaN);
  const gather: Callback = {
    name: 'GatherPreds',
    order: 100,
    afterLoss({ batch, pred }) {
      const { size } = batch;
      if (losses && !Number.isNaN(batch.targets[0]))
        lossFunc.losses({ size, pred, outputs, targets: batch.targets }, batchLosses);
      raw.set(pred.subarray(0, size * outputs), done * outputs);
      targets.set(batch.targets.subarray(0, size), done);
      rows.set(batch.rows.subarray(0, size), done);
      losses?.set(batchLosses.subarray(0, size), done);
      if (withInput) inputs ??= batch.inputs.map(({ length }) => new Int32Array((n * length) / bs));
      inputs?.forEach((column, c) => {
        const width = column.length / n;
        column.set(batch.inputs[c].subarray(0, size * width), done * width);
      });
      done += size;
    },
  };
  const pass = (): Promise<void> => learn.loop.validate(dl);
  const { loop } = learn;
  await learn.noLogging(() => loop[loop.fitting ? 'inner' : 'run'](pass, [gather]));
  const bad = raw.findIndex((x) => Number.isNaN(x));
  if (bad >= 0) {
    const { clause, remedy = "Look at the model's forward pass." } = reportWeights(model);
    throw new NumericError(
      `The prediction of row ${Math.floor(bad / outputs)} is NaN: ${clause}. ${remedy}`,
    );
  }
  const preds = act ? raw.map((x) => act(x)) : lossFunc.activation(raw, outputs);
  const decoded = withDecoded && { decoded: lossFunc.decodes(preds, outputs) };
  return { preds, targets, rows, ...(inputs && { inputs }), ...decoded, ...(losses && { losses }) };
}

const SHOW = { dsIdx: 1 as 0 | 1, dl: undefined as DataLoader | undefined, maxN: 9 };

/** See Learner.showResults. */
export async function showResults(
  learn: Learner,
  options: Partial<typeof SHOW> = {},
): Promise<void> {
  const { dsIdx, dl = learn.loader(dsIdx), maxN } = given(SHOW, options, 'showResults');
  checkNumber(maxN, maxN >= 1, 'maxN must be a number of rows, at least 1');
  const { lossFunc, model } = learn;
  const rows: Record<string, string | number>[] = [];
  learn.settle();
  for (const batch of dl.batches(0)) {
    const raw = model.forward(batch, false).slice(0, batch.size * model.outputs);
    const activated = lossFunc.activation(raw, model.outputs);
    const shown = model.outputs === 1 ? activated : lossFunc.decodes(activated, model.outputs);
    for (let r = 0; r < batch.size && rows.length < maxN; r++) {
      const row = learn.dls.decode(batch, r);
      rows.push({ ...row, [`${Object.keys(row).at(-1)}_pred`]: shown[r] });
    }
    if (rows.length >= maxN) break;
  }
  display().table(Table.fromRows(rows));
}
