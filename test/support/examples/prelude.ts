import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as recital from '../../../lib/recital/index.js';

const sample = resolve(__dirname, '../../../data/sample');

/**
 * What examples name without making it, with its type: written once, for the compiler and for those
 * who read this.
 */
export const types: Readonly<Record<string, string>> = {
  plays: 'Plays',
  tracks: 'Tracks',
  catalogue: 'Tracks',
  table: 'Table',
  factors: 'Table',
  history: 'Table',
  dls: 'CollabDataLoaders',
  model: 'EmbeddingDotBias',
  learn: 'CollabLearner',
  batches: 'readonly Batch[]',
  split: 'Required<PlaysSplit>',
  train: 'Plays',
  test: 'Plays',
  heldOut: 'Plays',
  early: 'Plays',
  late: 'Plays',
  all: 'Plays',
  sessions: 'Sessions',
  trainSessions: 'Sessions',
  user: 'string',
  track: 'string',
  recommender: 'Recommender',
  ease: 'EASE',
  knn: 'ItemKNN',
  markov: 'Markov',
  comparison: 'Comparison',
  friends: 'Table',
  file: 'string',
};

/** The same for examples of sequence models. */
export const sequenceTypes: typeof types = {
  ...types,
  dls: 'SequenceDataLoaders',
  model: 'LSTMModel',
};

/** Whether `dls` and `model` of an example are those of a sequence model. */
export const isOfSequences = (code: string): boolean => /LSTM|lstm|CrossEntropy/.test(code);

/** Makes those things, each when it is asked for: an example that changes one changes its own. */
export async function makers(): Promise<Record<string, (code: string) => unknown>> {
  const plays = await recital.readPlays('../data');
  const split = recital.splitPlays(plays, recital.perUserSplit(plays, { ratios: [0.6, 0.2, 0.2] }));
  const sessions = await recital.readSessions('train_sessions.txt.gz');
  const [user, track] = [plays.users.id(0), plays.tracks.id(0)];
  const curve = new recital.Table({
    epoch: [0, 1],
    train_loss: [0.5, 0.3],
    valid_loss: [0.6, 0.5],
  });
  const ease = await recital.EASE.fit(split.train);
  const comparison = await recital.evaluate([new recital.Popularity(split.train)], split, {
    samples: 10,
  });
  const collab = recital.CollabDataLoaders.fromPlays(plays, { bs: 16 });
  const sequences = recital.SequenceDataLoaders.fromPlays(plays.sampleUsers(30), {
    length: 3,
    bs: 16,
  });
  const random = (): recital.Random => new recital.Random(42);
  return {
    plays: () => plays,
    tracks: () => plays.catalogue,
    catalogue: () => plays.catalogue,
    table: () => recital.topArtists(plays, 5).withColumn('plays', [5, 4, 3, 2, 1]),
    factors: () =>
      new recital.Table({
        title: ['Song A', 'Song B'],
        genre: ['Rock', 'Pop'],
        PC1: [1, -1],
        PC2: [0.5, 0.2],
      }),
    history: () => curve,
    dls: (code) => (isOfSequences(code) ? sequences : collab),
    model: (code) =>
      isOfSequences(code)
        ? new recital.LSTMModel(sequences.classes, { embSz: 4, layers: [4], random: random() })
        : new recital.EmbeddingDotBias(5, collab.classes, { random: random() }),
    learn: () =>
      recital.collabLearner(collab, { nFactors: 5, lossFunc: new recital.BCEWithLogitsLossFlat() }),
    batches: () => [collab.oneBatch()],
    split: () => split,
    train: () => split.train,
    test: () => split.test,
    heldOut: () => split.test,
    early: () => split.train,
    late: () => split.valid,
    all: () => plays,
    sessions: () => sessions,
    trainSessions: () => sessions,
    user: () => user,
    track: () => track,
    recommender: () => new recital.ItemKNN(split.train),
    ease: () => ease,
    knn: () => new recital.ItemKNN(split.train),
    markov: () => new recital.Markov(split.train),
    comparison: () => comparison,
    friends: () => new recital.Table({ user_id: [user, 'u2'], friend_id: ['u2', user] }),
  };
}

/**
 * Writes the files that examples read, below a folder: 120 users and 60 tracks of the sample,
 * by names that are easily written, and what else they name.
 */
export async function writeFiles(folder: string): Promise<void> {
  const all = await recital.readPlays(sample);
  const count = new Float64Array(all.tracks.length);
  for (const t of all.track) count[t]++;
  const tracks = Array.from(count.keys())
    .sort((a, b) => count[b] - count[a] || a - b)
    .slice(0, 60);
  const kept = all.take(Array.from(all.track.keys()).filter((i) => tracks.includes(all.track[i])));
  const active = kept.minPlays({ perUser: 6 });
  const rows = Array.from(active.track.keys()).filter((i) => active.user[i] < 120);
  const trackId = (t: number): string =>
    `t${tracks.indexOf(all.tracks.index(active.tracks.id(t))) + 1}`;
  const plays = rows.map(
    (i) => `${trackId(active.track[i])},u${active.user[i] + 1},${active.playcount[i]}`,
  );
  const catalogue = (all.catalogue as recital.Tracks).table;
  const rowOf = (all.catalogue as recital.Tracks).rowsOf(all.tracks);
  const info = tracks.map((t, i) => {
    const row = catalogue.row(rowOf[t]);
    return catalogue.columnNames
      .map((name) =>
        quoted(name === 'track_id' ? `t${i + 1}` : name === 'name' ? title(i) : row[name]),
      )
      .join(',');
  });
  const write = (name: string, lines: readonly string[]): void =>
    writeFileSync(join(folder, name), `${lines.join('\n')}\n`);
  for (const name of ['data', 'notebooks/ml-100k', 'notebooks/ml-1m'])
    mkdirSync(join(folder, name), { recursive: true });
  write('data/Music Info.csv', [catalogue.columnNames.join(','), ...info]);
  write('data/User Listening History.csv', ['track_id,user_id,playcount', ...plays]);
  const ratings = rows.map((i) => [
    `u${active.user[i] + 1}`,
    trackId(active.track[i]),
    1 + (i % 5),
    i,
  ]);
  write(
    'notebooks/ml-100k/u.data',
    ratings.map((r) => r.join('\t')),
  );
  write(
    'notebooks/ml-1m/ratings.dat',
    ratings.map((r) => r.join('::')),
  );
  write('notebooks/ratings.csv', [
    'user,title,rating',
    ...ratings.map((r) => r.slice(0, 3).join(',')),
  ]);
  write('notebooks/log.csv', [
    'when,who,song',
    '2009-05-04T23:08:57Z,a,x',
    '2009-05-04T13:54:10Z,b,y',
  ]);
  write('notebooks/usersha1-artmbid-artname-plays.tsv', [
    'u1\tm1\t"weird al" yankovic\t7',
    'u2\t\tair\t3',
  ]);
  write('notebooks/unique_tracks.txt', [
    'TR1<SEP>SO1<SEP>Air<SEP>"La Femme" d\'argent',
    'TR2<SEP>SO2<SEP>Can<SEP>Vitamin C',
  ]);
  write('notebooks/log.tsv', ['who\tsong\tn', 'a\tx\t3', 'b\ty\t1']);
  write('notebooks/songs.txt', ['t1,Song A,Someone', 't2,Song B,Somebody']);
  const sessions = Array.from({ length: 140 }, (_, s) =>
    [0, 1, 3, 4].map((k) => `t${((s + k) % 70) + 1}`).join(' '),
  );
  for (const name of ['train', 'test'])
    writeFileSync(join(folder, `notebooks/${name}_sessions.txt.gz`), gzipSync(sessions.join('\n')));
}

const title = (i: number): string => `Song ${i < 26 ? String.fromCharCode(65 + i) : i + 1}`;
const quoted = (value: unknown): string =>
  value === null
    ? ''
    : /[",]/.test(String(value))
      ? `"${String(value).replaceAll('"', '""')}"`
      : String(value);
