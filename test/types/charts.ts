// Charts: what they take, and the names of columns.
import {
  barChart,
  correlation,
  heatmap,
  histogram,
  lineChart,
  meansByYear,
  type Plays,
  type Recommendations,
  scatter,
  sql,
  Table,
  type Tracks,
  topArtists,
} from '../../lib/recital/index.js';

declare const plays: Plays;
declare const tracks: Tracks;
declare const name: string;
declare const any: Table;
declare const list: Recommendations;
const history = new Table({ epoch: [0, 1], loss: [2, 1], valid: [3, 2], note: ['a', 'b'] });

// What the library's functions return, without `.table`.
heatmap(correlation(tracks));
heatmap(correlation(history).table);
heatmap(history);
heatmap({ labels: ['a'], values: [1] });
histogram(tracks, 'energy');
histogram(tracks, ['energy', name]);
histogram(plays, 'playcount', { scale: 'log' });
scatter(tracks, { x: 'energy', y: 'tempo', label: 'name', color: 'genre', tooltip: ['artist'] });
barChart(correlation(tracks), { x: 'column', y: 'energy' });
barChart(topArtists(plays), { x: 'playcount', y: 'artist', title: 'Artists', limit: 5 });
lineChart(meansByYear(tracks, ['energy']), { x: 'year', y: 'energy' });
barChart(list, { x: 'score', y: 'title' });

// Names: those of the rows where they are known, and any that only the program knows.
histogram(any, 'whatever');
scatter(any, { x: 'any', y: name });
histogram(history, name);
histogram(history, ['loss', 'valid']);
lineChart(history, { x: 'epoch', y: ['loss', 'valid'], title: 'Losses' });
lineChart(history, { x: 'epoch', y: 'loss' });
lineChart(history, { x: name, y: [name] });
scatter(history, { x: 'epoch', y: 'loss', label: 'note', color: 'valid', tooltip: ['note'] });
barChart(history, { x: 'epoch', y: 'loss', sort: 'table' });
const options = { x: name, y: name, title: 'Losses' };
for (const make of [lineChart, scatter, barChart]) make(history, options);

// @ts-expect-error: there is no such column
histogram(history, 'lsos');
// @ts-expect-error
histogram(history, ['loss', 'lsos']);
// @ts-expect-error
lineChart(history, { x: 'epcoh', y: 'loss' });
// @ts-expect-error
lineChart(history, { x: 'epoch', y: ['loss', 'lsos'] });
// @ts-expect-error
scatter(history, { x: 'epoch', y: 'lsos' });
// @ts-expect-error
scatter(history, { x: 'epoch', y: 'loss', label: 'notes' });
// @ts-expect-error
scatter(history, { x: 'epoch', y: 'loss', color: 'notes' });
// @ts-expect-error
scatter(history, { x: 'epoch', y: 'loss', tooltip: ['notes'] });
// @ts-expect-error
barChart(history, { x: 'epoch', y: 'lsos' });
// @ts-expect-error
barChart(topArtists(tracks), { x: 'playcount', y: 'artist' });
// @ts-expect-error
histogram(plays, 'plays');
// @ts-expect-error: the options are as before
barChart(history, { x: 'epoch', y: 'loss', titel: 'Losses' });
// @ts-expect-error
barChart(history, { x: 'epoch' });
// @ts-expect-error: no data
histogram(3, 'energy');
// @ts-expect-error: plays are no matrix
heatmap(plays);

export async function ofQuery(): Promise<void> {
  const counts = await sql<{ artist: string; n: number }>(
    'select artist, count(*) as n from tracks',
  );
  barChart(counts, { x: 'n', y: 'artist' });
  // @ts-expect-error
  barChart(counts, { x: 'm', y: 'artist' });
}
