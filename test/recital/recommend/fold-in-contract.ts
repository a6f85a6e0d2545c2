import { inspect } from 'node:util';
import { expect } from 'chai';
import { ArgumentError, UnknownIdError } from '../../../lib/recital/errors.js';
import type { FoldedUser, HistoryItem } from '../../../lib/recital/recommend/fold-in.js';
import type { Recommender } from '../../../lib/recital/recommend/recommender.js';
import { padded, scoreBytes } from './contract-support.js';

/**
 * What `foldIn` must do, whatever the model.
 * @param recommender trained on `smallPlays()`, when the tests run
 * @param options `ordered`: the order of a history matters; `taste`: trains on the checkerboard,
 *   graded or not, where that means something
 */
export function foldInContract(
  recommender: () => Recommender,
  {
    ordered,
    taste,
  }: {
    ordered: boolean;
    taste?: { make: () => Promise<Recommender> | Recommender; graded: boolean };
  },
): void {
  const fold = (items: readonly HistoryItem[]): FoldedUser => recommender().foldIn(items);
  const history: HistoryItem[] = [
    'Song 4',
    { track: 'track11', playcount: 3 },
    { track: 'Song 7 by Artist 0', playcount: 1 },
  ];
  const known = ['track04', 'track07', 'track11'];

  if (taste) {
    it('recommends to a listener who is folded in what others of the same taste like', async () => {
      const checked = await taste.make();
      for (const parity of [0, 1]) {
        const liked = Array.from({ length: 10 }, (_, i) => 2 * i + parity).filter(
          (t) => t !== 6 + parity,
        );
        const disliked = taste.graded ? [3, 7, 15].map((t) => t - parity) : [];
        const folded = checked.foldIn!([
          ...liked.map((t) => ({ track: padded('track', t), playcount: 5 })),
          ...disliked.map((t) => ({ track: padded('track', t), playcount: 1 })),
        ]);
        expect(folded.recommend({ n: 1 }).ids).to.deep.equal([padded('track', 6 + parity)]);
      }
    });
  }

  it('recommends to a listener who is folded in, without what is in the history', () => {
    const folded = fold(history);
    expect(folded.history).to.deep.equal(known);
    expect(folded.recommend().length).to.equal(10);
    const all = folded.recommend({ n: 1000 });
    expect([...all.ids].sort()).to.deep.equal(
      recommender().tracks.classes.filter((track) => !known.includes(track)),
    );
    expect(all.ids.slice(0, 10)).to.deep.equal(folded.recommend().ids);
    expect([...all.scores]).to.deep.equal([...all.scores].sort((a, b) => b - a));
    expect([...folded.recommend({ n: 1000, filterSeen: false }).ids].sort()).to.deep.equal(
      recommender().tracks.classes,
    );
    expect(
      folded.recommend({ among: ['Song 5', 'Song 6', 'track04'], exclude: ['track05'] }).ids,
    ).to.deep.equal(['track06']);
    expect(folded.recommend().columnNames).to.deep.equal([
      'rank',
      'track_id',
      'title',
      'artist',
      'year',
      'score',
    ]);
  });

  it('orders by the scores of the listener who is folded in', () => {
    const folded = fold(history);
    expect(folded.scores).to.have.length(30);
    const expected = Array.from({ length: 30 }, (_, t) => t).sort(
      (a, b) => folded.scores[b] - folded.scores[a] || a - b,
    );
    expect(folded.recommend({ n: 30, filterSeen: false }).ids).to.deep.equal(
      recommender().tracks.decode(expected),
    );
  });

  it('is not changed by folding in, and folds in the same listener again', () => {
    const before = scoreBytes(recommender());
    const { scores } = fold(history);
    expect(fold(history).scores).to.deep.equal(scores);
    scores.fill(NaN);
    expect(scoreBytes(recommender()).equals(before)).to.equal(true);
    expect(recommender().users.length).to.equal(20);
  });

  if (!ordered) {
    it('minds neither the order of a history nor whether playcounts come in parts', () => {
      const { scores } = fold(history);
      expect(fold([...history].reverse()).scores).to.deep.equal(scores);
      expect(
        fold([
          { track: 'Song 11', playcount: 1 },
          ...history.slice(0, 1),
          { track: 'track11', playcount: 2 },
          history[2],
        ]).scores,
      ).to.deep.equal(scores);
    });
  }

  it('leaves out tracks that are not known, if it is told to, and says which', () => {
    const r = recommender();
    const mixed: HistoryItem[] = ['never heard of', ...history, { track: 'Song 31', playcount: 2 }];
    const folded = r.foldIn(mixed, { skipUnknown: true });
    expect(folded.skipped).to.deep.equal(['never heard of', 'Song 31']);
    expect(folded.history).to.deep.equal(known);
    expect(folded.scores).to.deep.equal(fold(history).scores);
    expect(fold(history).skipped).to.deep.equal([]);
    expect(inspect(folded)).to.match(
      /^A user of 3 tracks \(2 tracks more unknown, left out\), folded into/,
    );
    expect(() => fold(mixed)).to.throw(
      UnknownIdError,
      'foldIn(history, { skipUnknown: true }) leaves out the tracks that are not known',
    );
    expect(() => r.foldIn(['never heard of', 'nor of this'], { skipUnknown: true })).to.throw(
      ArgumentError,
      /None of the 2 tracks of the history is known to .*"never heard of", "nor of this"/,
    );
    expect(() => r.foldIn(['Song 8'], { skipUnknown: true })).to.throw(
      ArgumentError,
      /track08[\s\S]*track09/,
    ); // ambiguous is not unknown
    expect(() => r.foldIn(history, { skipUnknwon: true } as never)).to.throw(
      ArgumentError,
      'did you mean "skipUnknown"',
    );
    expect(() => r.foldIn(history, { skipUnknown: 1 } as never)).to.throw(
      ArgumentError,
      'skipUnknown must be true or false',
    );
    expect(() => r.foldIn([], { skipUnknown: true })).to.throw(
      ArgumentError,
      'The history is empty',
    );
  });

  it('finds users who are like a listener who is folded in', () => {
    const r = recommender();
    const folded = fold(history);
    const list = folded.similarUsers({ n: 4 });
    expect(list.columnNames[0]).to.equal('rank');
    expect(list.columnNames[2]).to.equal('similarity');
    expect(list.length).to.equal(4);
    const all = folded.similarUsers({ n: 100 });
    expect([...all.strings(all.columnNames[1])].sort()).to.deep.equal(r.users.classes);
    expect([...all.numbers('similarity')]).to.deep.equal(
      [...all.numbers('similarity')].sort((a, b) => b - a),
    );
    const vectors = r.userVectors?.();
    expect(folded.vector?.length).to.equal(vectors?.width);
    if (!folded.vector || !vectors) return;
    const cosine = (u: number): number => {
      const row = vectors.values.subarray(u * vectors.width, (u + 1) * vectors.width);
      const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
        Array.from(a).reduce((sum, x, j) => sum + x * b[j], 0);
      return (
        dot(row, folded.vector!) / Math.sqrt(dot(row, row) * dot(folded.vector!, folded.vector!))
      );
    };
    all.strings(all.columnNames[1]).forEach((id, i) => {
      expect(all.numbers('similarity')[i]).to.be.closeTo(cosine(r.users.index(id!)), 1e-6);
    });
    expect(JSON.parse(JSON.stringify(folded))).to.have.all.keys(
      'history',
      'skipped',
      'recommendations',
    );
  });

  it('refuses an empty history, unknown tracks with a suggestion, and playcounts that are none', () => {
    expect(() => fold([])).to.throw(ArgumentError, 'The history is empty');
    expect(() => fold(['track04', 'trakc05'])).to.throw(UnknownIdError, 'did you mean "track05"?');
    expect(() => fold(['Song 31'])).to.throw(
      UnknownIdError,
      'nobody plays it in the training data',
    );
    expect(() => fold(['Song 8'])).to.throw(ArgumentError, /track08[\s\S]*track09/);
    for (const playcount of [0, -2, Infinity]) {
      expect(() => fold([{ track: 'track04', playcount }])).to.throw(
        ArgumentError,
        `"track04" has playcount ${playcount}`,
      );
    }
    expect(() => fold('track04' as never)).to.throw(ArgumentError, 'A history is a list');
    expect(() => fold([null as never])).to.throw(ArgumentError, 'Entry 0 of the history');
    expect(() => fold(history).recommend({ n: 0 })).to.throw(
      ArgumentError,
      'n must be a positive whole number',
    );
  });
}
