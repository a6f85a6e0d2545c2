import type { DataLoader } from '../data/batches.js';
import { display } from '../data/display.js';
import { Table } from '../data/table.js';
import { ArgumentError, NumericError } from '../errors.js';
import { checkArgument, checkNumber, checkOptions, isFunction } from '../options.js';
import type { Callback } from './callback.js';
import type { Learner } from './learner.js';
import { reportWeights, SPOILT } from './not-finite.js';

/** Options of getPreds. */
export interface GetPredsOptions {
  /** 0 the training set (whole, in order), 1 (default) the validation set. */
  dsIdx?: 0 | 1;
  /** Another loader instead, e.g. `dls.testDl(rows)`. */
  dl?: DataLoader;
  /** Return the inputs too; default false. */
  withInput?: boolean;
  /** Return the decisions too, e.g. 0 or 1 for a binary loss; default false. */
  withDecoded?: boolean;
  /** Return each row's loss too; default false. */
  withLoss?: boolean;
  /**
   * What is applied to the model's output; default: the loss's activation (a sigmoid for logits,
   * nothing for MSE).
   */
  act?: (x: number) => number;
  /** Whether a callback asks in the middle of a run; default false. */
  inner?: boolean;
}

/**
 * What getPreds returns: row i is the i-th row of that part of the data, whose number in the whole
 * is rows[i].
 */
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

/** fastai's `get_preds`, with named results. See Learner.getPreds. */
export async function getPreds(
  learn: Learner,
  options: GetPredsOptions = {},
): Promise<Predictions> {
  checkOptions(
    options,
    ['dsIdx', 'dl', 'withInput', 'withDecoded', 'withLoss', 'act', 'inner'],
    'getPreds',
  );
  learn.loop.checkAtRest();
  const {
    dsIdx = 1,
    withInput = false,
    withDecoded = false,
    withLoss = false,
    act,
    inner = false,
  } = options;
  checkArgument(
    act === undefined || isFunction(act),
    act,
    'getPreds',
    'act, a function of a number, such as Math.exp',
  );
  checkArgument(
    options.dl === undefined || typeof options.dl?.inOrder === 'function',
    options.dl,
    'getPreds',
    'dl, a loader such as dls.valid',
  );
  const dl = (options.dl ?? learn.loader(dsIdx)).inOrder();
  if (dl.n === 0)
    throw new ArgumentError('There are no rows to predict: this part of the data is empty.');
  const { outputs } = learn.model;
  const { lossFunc } = learn;
  const raw = new Float32Array(dl.n * outputs);
  const targets = new Float32Array(dl.n);
  const losses = withLoss ? new Float32Array(dl.n) : undefined;
  const rows = new Int32Array(dl.n);
  let inputs: Int32Array[] | undefined;
  let done = 0;
  const each = new Float64Array(dl.bs).fill(NaN);
  const gather: Callback = {
    name: 'GatherPreds',
    order: 100,
    afterLoss({ batch, pred }) {
      if (withInput && !inputs)
        inputs = batch.inputs.map((column) => new Int32Array((dl.n * column.length) / dl.bs));
      if (losses && !Number.isNaN(batch.targets[0]))
        lossFunc.losses({ size: batch.size, pred, outputs, targets: batch.targets }, each);
      raw.set(pred.subarray(0, batch.size * outputs), done * outputs);
      targets.set(batch.targets.subarray(0, batch.size), done);
      rows.set(batch.rows.subarray(0, batch.size), done);
      losses?.set(each.subarray(0, batch.size), done);
      inputs?.forEach((column, c) => {
        const width = column.length / dl.n;
        column.set(batch.inputs[c].subarray(0, batch.size * width), done * width);
      });
      done += batch.size;
    },
  };
  const pass = (): Promise<void> => learn.loop.validate(dl);
  await learn.noLogging(() =>
    inner ? learn.loop.inner(pass, [gather]) : learn.loop.run(pass, [gather]),
  );
  const bad = firstNaN(raw);
  if (bad >= 0) {
    const { clause, spoilt } = reportWeights(learn.model);
    throw new NumericError(
      `The prediction of row ${Math.floor(bad / outputs)} is NaN: ${clause}. ${spoilt ? SPOILT : "Look at the model's forward pass."}`,
    );
  }
  const preds = act ? raw.map((x) => act(x)) : lossFunc.activation(raw, outputs);
  const decoded = withDecoded ? lossFunc.decodes(preds, outputs) : undefined;
  return {
    preds,
    targets,
    rows,
    ...(inputs && { inputs }),
    ...(decoded && { decoded }),
    ...(losses && { losses }),
  };
}

function firstNaN(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) return i;
  return -1;
}

/** fastai's `show_results`: decoded rows with their predictions. */
export async function showResults(
  learn: Learner,
  options: { dsIdx?: 0 | 1; dl?: DataLoader; maxN?: number } = {},
): Promise<void> {
  checkOptions(options, ['dsIdx', 'dl', 'maxN'], 'showResults');
  const { dsIdx = 1, dl, maxN = 9 } = options;
  checkNumber(maxN, maxN >= 1, 'maxN must be a number of rows, at least 1');
  const { lossFunc, model } = learn;
  const rows: Record<string, string | number>[] = [];
  const source = dl ?? learn.loader(dsIdx);
  learn.settle();
  for (const batch of source.batches(0)) {
    const activated = lossFunc.activation(
      model.forward(batch, false).slice(0, batch.size * model.outputs),
      model.outputs,
    );
    const shown = model.outputs === 1 ? activated : lossFunc.decodes(activated, model.outputs); // a class has no other value to show
    for (let r = 0; r < batch.size && rows.length < maxN; r++) {
      const row = learn.dls.decode(batch, r);
      const target = Object.keys(row)[Object.keys(row).length - 1];
      rows.push({ ...row, [`${target}_pred`]: shown[r] });
    }
    if (rows.length >= maxN) break;
  }
  display().table(Table.fromRows(rows));
}
