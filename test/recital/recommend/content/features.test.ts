import { existsSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { readTracks } from '../../../../lib/recital/data/files/read-plays.js';
import { setDisplay } from '../../../../lib/recital/data/output.js';
import { audioFeatures } from '../../../../lib/recital/data/tracks.js';
import { PCA } from '../../../../lib/recital/decomposition/pca.js';
import { ArgumentError, NumericError, UnknownIdError } from '../../../../lib/recital/errors.js';
import {
  type ContentFeatures,
  contentFeatures,
} from '../../../../lib/recital/recommend/content/features.js';
import { catalogueOf } from '../content-support.js';

const REAL = path.resolve(
  __dirname,
  '../../../../../shared/data/kaggle-tracks/tracks_30459.csv.gz',
);

const column = ({ names, matrix }: ContentFeatures, name: string): number[] =>
  Array.from(
    { length: matrix.shape[0] },
    (_, row) => matrix.data[row * names.length + names.indexOf(name)],
  );
const squares = (values: readonly number[]): number => values.reduce((sum, v) => sum + v * v, 0);

/** Runs it, and returns the warnings. */
function warnings(run: () => void): string[] {
  const lines: string[] = [];
  const before = setDisplay({
    table() {},
    chart() {},
    text() {},
    warn: (line) => void lines.push(line),
  });
  try {
    run();
  } finally {
    setDisplay(before);
  }
  return lines;
}

describe('contentFeatures', () => {
  const tracks = catalogueOf({
    energy: [1, 2, 3, null, null],
    tempo: [100, 100, 130, 130, null],
    tags: ['rock, indie', 'rock', 'jazz, jazz', 'indie, jazz', null],
    genre: ['Rock', 'Rock', null, 'Jazz', 'Jazz'],
  });

  it('standardises the audio features, and fills in what is missing with the mean, 0', () => {
    const found = contentFeatures(tracks);
    expect(found.names).to.deep.equal(['energy', 'tempo']);
    expect(found.matrix.shape).to.deep.equal([5, 2]);
    const unit = Math.sqrt(3 / 2);
    column(found, 'energy').forEach((v, i) => {
      expect(v).to.be.closeTo([-unit, 0, unit, 0, 0][i], 1e-15);
    });
    expect(column(found, 'tempo')).to.deep.equal([-1, -1, 1, 1, 0]);
  });

  it('says of which tracks nothing is known', () => {
    expect([...contentFeatures(tracks).known]).to.deep.equal([1, 1, 1, 1, 0]);
    expect([...contentFeatures(tracks, { features: ['energy'] }).known]).to.deep.equal([
      1, 1, 1, 0, 0,
    ]);
    expect([...contentFeatures(tracks, { features: ['energy'], tags: true }).known]).to.deep.equal([
      1, 1, 1, 1, 0,
    ]);
    expect([...contentFeatures(tracks, { genre: true }).known]).to.deep.equal([1, 1, 1, 1, 1]);
  });

  it('takes tags and genres, centred, with weight² times the squares of the numbers', () => {
    for (const [tags, weight] of [
      [true, 2],
      [0.5, 0.5],
    ] as const) {
      const found = contentFeatures(tracks, { tags });
      expect(found.names).to.deep.equal([
        'energy',
        'tempo',
        'tag: indie',
        'tag: jazz',
        'tag: rock',
      ]);
      const columns = found.names.slice(2).map((name) => column(found, name));
      expect(squares(columns.flat())).to.be.closeTo(weight ** 2 * 2 * 5, 1e-12);
      for (const values of columns) {
        expect(values.reduce((a, b) => a + b)).to.be.closeTo(0, 1e-12);
        expect(values[4]).to.equal(0); // no tags
      }
      const [, jazz, rock] = columns;
      expect(rock[0]).to.equal(rock[1]).and.to.be.closeTo(-rock[2], 1e-12);
      expect(jazz[2]).to.equal(jazz[3]); // a tag that is given twice counts once
    }
    expect(contentFeatures(tracks, { features: [], genre: true }).names).to.deep.equal([
      'genre: Jazz',
      'genre: Rock',
    ]);
    expect(
      squares([...contentFeatures(tracks, { features: [], genre: 3 }).matrix.data]),
    ).to.be.closeTo(9 * 5, 1e-12);
  });

  it('leaves out tags of a single track, and of all tracks', () => {
    const some = catalogueOf({ energy: [1, 2, 3], tags: ['all, two, one', 'all, two', 'all'] });
    expect(contentFeatures(some, { tags: true }).names).to.deep.equal(['energy', 'tag: two']);
    const none = catalogueOf({ energy: [1, 2, 3], tags: ['all, one', 'all', 'all,'] });
    let found: ContentFeatures | undefined;
    expect(
      warnings(() => {
        found = contentFeatures(none, { tags: true });
      }),
    ).to.deep.equal(['No tag is shared by some of the tracks and not by all: left out.']);
    expect(found?.names).to.deep.equal(['energy']);
  });

  it('leaves out columns that are constant or empty, with a warning', () => {
    const some = catalogueOf({
      energy: [1, 2, 3],
      key: [5, null, 5],
      mode: new Float64Array(3).fill(NaN),
      tempo: [0, 0, 1],
    });
    let found: ContentFeatures | undefined;
    const said = warnings(() => {
      found = contentFeatures(some);
    });
    expect(said).to.deep.equal([
      'key, mode: the same for all tracks, or missing: left out of the features.',
    ]);
    expect(found?.names).to.deep.equal(['energy', 'tempo']);
  });

  it('refuses a catalogue without usable features, and says what to do', () => {
    const names = catalogueOf({ name: ['a', 'b'], artist: ['x', 'y'] });
    expect(() => contentFeatures(names)).to.throw(
      ArgumentError,
      'no audio features; its columns are: track_id, name, artist. Name columns of numbers',
    );
    const constant = catalogueOf({ energy: [1, 1], tempo: [NaN, NaN] });
    warnings(() =>
      expect(() => contentFeatures(constant)).to.throw(
        ArgumentError,
        'energy, tempo are missing, or the same for all',
      ),
    );
    expect(() => contentFeatures(names, { features: ['name'] })).to.throw(
      ArgumentError,
      '"name" holds text',
    );
    expect(() => contentFeatures(names, { tags: true })).to.throw(
      UnknownIdError,
      'Unknown column "tags"',
    );
    expect(() => contentFeatures(tracks, { features: ['enrgy'] })).to.throw(
      UnknownIdError,
      'did you mean "energy"?',
    );
    expect(() => contentFeatures(catalogueOf({ energy: [1, Infinity] }))).to.throw(
      NumericError,
      'row 1, column "energy"',
    );
  });

  it('refuses options that make no sense', () => {
    expect(() => contentFeatures(tracks.table as never)).to.throw(
      ArgumentError,
      'The catalogue was expected',
    );
    for (const tags of [0, -1, NaN, 'yes' as never])
      expect(() => contentFeatures(tracks, { tags })).to.throw(ArgumentError, 'tags must be true');
    expect(() => contentFeatures(tracks, { features: 'energy' as never })).to.throw(
      ArgumentError,
      'features must be a list',
    );
    expect(() => contentFeatures(tracks, { tag: true } as never)).to.throw(
      ArgumentError,
      'did you mean "tags"?',
    );
  });

  it('has the known components on the 30,459 real tracks (skipped where ../shared/data is absent)', async function () {
    if (!existsSync(REAL)) this.skip();
    const { names, matrix, known } = contentFeatures(await readTracks(REAL));
    expect(names).to.deep.equal(audioFeatures);
    expect(known.every((k) => k === 1)).to.equal(true);
    const pca = await new PCA().fit(matrix);
    const percent = Array.from(pca.explainedVarianceRatio, (r) => (100 * r).toFixed(1));
    expect(percent.join(' ')).to.equal('21.3 13.5 9.3 8.6 7.7 7.1 6.7 6.5 6.3 5.9 3.0 2.7 1.2');
  });
});
