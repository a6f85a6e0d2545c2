import type { DataLoader } from '../data/batch.js';
import { type Cell, Table } from '../data/table.js';
import { counted } from '../printed.js';
import { callbackName } from './callback.js';
import type { Learner } from './learner.js';

/**
 * One row for every parameter, then the totals, loss, optimizer and callbacks (fastai's `summary`).
 */
export function summary(learn: Learner): Table {
  const { parameters } = learn.model;
  const count = (trainable: boolean): number =>
    parameters.filter((p) => p.trainable === trainable).reduce((n, p) => n + p.value.length, 0);
  const rows: Record<string, Cell>[] = parameters.map((p) => ({
    name: p.name,
    value: p.shape.join(' × '),
    params: p.value.length,
    trainable: p.trainable ? 'yes' : 'no',
  }));
  const callbacks = [...learn.cbs]
    .sort((a, b) => (a.order ?? 0) - (b.order ?? 0))
    .map(callbackName);
  rows.push(
    { name: 'total', value: learn.model.constructor.name, params: count(true) + count(false) },
    { name: 'total trainable', params: count(true) },
    { name: 'loss', value: learn.lossFunc.name },
    { name: 'optimizer', value: learn.opt.constructor.name },
    { name: 'callbacks', value: callbacks.join(', ') },
  );
  return Table.fromRows(rows, ['name', 'value', 'params', 'trainable']);
}

/** What a learner prints: what it is made of, and how far it is trained. */
export function learnerText(learn: Learner): string {
  const { dls, model, lossFunc, opt, metrics, epochsTrained, unfinished } = learn;
  const size = model.parameters.reduce((sum, { value }) => sum + value.length, 0);
  const names = metrics.length ? metrics.map(({ name }) => name).join(', ') : 'none';
  return [
    `${learn.constructor.name}: ${counted(epochsTrained, 'epoch')} trained${unfinished ? '; an unfinished run, which resume() goes on with' : ''}`,
    `  model      ${model.constructor.name}, ${counted(size, 'weight')}`,
    `  data       ${sizeOf(dls.train)} for training, ${sizeOf(dls.valid)} for validation`,
    `  loss       ${lossFunc.name}`,
    `  optimizer  ${opt.constructor.name}`,
    `  metrics    ${names}`,
  ].join('\n');
}

function sizeOf({ n, bs, length }: DataLoader): string {
  return `${counted(n, 'row')} (${counted(length, 'batch', 'batches')} of ${bs})`;
}
