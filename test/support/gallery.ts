import type { Notebook } from '../../lib/kernel/run/notebook-file.js';
import { notebookOf } from './notebook.js';

/** What a front end must show of an output. `final`: of a live display, what stays. */
export type Shown = 'chart' | 'table' | 'text' | 'html';

/**
 * Every kind of output that the library has, a cell each, and what it must come to. Small: all of
 * it runs in a few seconds.
 */
export const gallery: readonly { code: string; shows: readonly Shown[] }[] = [
  {
    code: `import * as r from 'recital';
const random = (i: number) => ((i * 7919) % 1000) / 1000;
const rows = Array.from({ length: 600 }, (_, i) => ({ user: 'u' + (i % 40), track: 't' + Math.floor(60 * random(i) ** 2), playcount: 1 + (i % 5) }));
const plays = r.Plays.fromRows(rows);
const table = new r.Table({
  artist: ['Björk', 'Can', 'Air', 'Neu!', 'Low', 'Yo La Tengo'],
  genre: ['pop', 'rock', 'pop', 'rock', 'rock', 'rock'],
  plays: [120, 30, 99, 12, 45, 64],
  tempo: [90, 140, 110, 150, 70, 125],
  loudness: [-8, -12, -9.5, -14, -18, -10],
});`,
    shows: [],
  },
  { code: `console.log('a line of text')`, shows: ['text'] },
  { code: `table`, shows: ['table'] },
  { code: `r.show(table, { title: 'A table with a title' })`, shows: ['table'] },
  {
    code: `r.show(r.html('<b>bold</b> and <progress value="3" max="10"></progress>', 'bold'))`,
    shows: ['html'],
  },
  { code: `r.barChart(table, { x: 'plays', y: 'artist', title: 'Lying bars' })`, shows: ['chart'] },
  {
    code: `r.barChart(table, { x: 'artist', y: 'plays', title: 'Standing bars' })`,
    shows: ['chart'],
  },
  {
    code: `r.histogram(table, ['plays', 'tempo', 'loudness'], { title: 'Histograms', bins: 5 })`,
    shows: ['chart'],
  },
  {
    code: `r.histogram(table, 'plays', { title: 'Logarithmic histogram', scale: 'log', bins: 4 })`,
    shows: ['chart'],
  },
  {
    code: `r.lineChart(table, { x: 'tempo', y: ['plays', 'loudness'], title: 'Lines', yTitle: 'value' })`,
    shows: ['chart'],
  },
  {
    code: `r.scatter(table, { x: 'tempo', y: 'loudness', label: 'artist', color: 'genre', title: 'Scatter plot' })`,
    shows: ['chart'],
  },
  {
    code: `r.heatmap({ labels: ['a', 'b', 'c'], values: [1, 0.5, -0.7, 0.5, 1, 0, -0.7, 0, 1] }, { title: 'Heatmap' })`,
    shows: ['chart'],
  },
  {
    code: `const dls = r.CollabDataLoaders.fromPlays(plays, { seed: 1, bs: 16, target: 'binary' });
const learn = r.collabLearner(dls, { nFactors: 4, lossFunc: new r.BCEWithLogitsLossFlat(), metrics: [r.accuracyThresh(0.5)], seed: 1 });
dls.showBatch()`,
    shows: ['table'],
  },
  { code: `const found = await learn.lrFind();`, shows: ['chart'] },
  { code: `await learn.fitOneCycle(3, 5e-3)`, shows: ['table'] },
  { code: `learn.recorder.plotLoss({ skipStart: 0 })`, shows: ['chart'] },
  { code: `learn.recorder.plotSched()`, shows: ['chart'] },
  { code: `learn.recommend('u1', { n: 3 })`, shows: ['table'] },
  {
    code: `const split = r.splitPlays(plays, r.perUserSplit(plays, { ratios: [0.8, 0.1, 0.1] }));
const comparison = await r.evaluate({ Popularity: new r.Popularity(split.train), ItemKNN: new r.ItemKNN(split.train) }, split, { k: [5] });
comparison`,
    shows: ['table'],
  },
  { code: `comparison.plot()`, shows: ['chart'] },
  { code: `comparison.plotTradeOff()`, shows: ['chart'] },
  {
    code: `const slot = new r.Slot();
for (let i = 1; i <= 3; i++) slot.update(r.html('<i>step ' + i + '</i>'));
slot.show(table)`,
    shows: ['table'],
  },
];

/** The gallery as a notebook. */
export function galleryNotebook(): Notebook {
  const notebook = notebookOf('# Gallery', ...gallery.map(({ code }) => code));
  const kernelspec = { name: 'tslab', display_name: 'TypeScript', language: 'typescript' };
  return {
    ...notebook,
    metadata: { kernelspec, language_info: { name: 'typescript', file_extension: '.ts' } },
  } as Notebook;
}
