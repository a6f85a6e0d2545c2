import { inspect } from 'node:util';
import { expect } from 'chai';
import { Random } from '../../../lib/recital/compute/random.js';
import { type PlayRecord, Plays } from '../../../lib/recital/data/plays.js';
import { Table } from '../../../lib/recital/data/table.js';
import { Tracks } from '../../../lib/recital/data/tracks.js';
import { ArgumentError, UnknownIdError } from '../../../lib/recital/errors.js';
import { Learner } from '../../../lib/recital/learner/learner.js';
import { whatIs } from '../../../lib/recital/options.js';
import type { Recommender } from '../../../lib/recital/recommend/recommender.js';
import { padded, scoreBytes } from './contract-support.js';
import { foldInContract } from './fold-in-contract.js';

/** What the contract asks of a recommender beyond what all can do. */
export interface ContractOptions {
  /**
   * Which plays the checkerboard test trains on:
   * - `'likes'` (default): only what users like, as for models that count plays;
   * - `'graded'`: five plays of what they like, one play of some of what they do not, as for models that learn a rating;
   * - `'none'`: the recommender does not look at what a user likes, so the test does not apply.
   */
  checkerboard?: 'likes' | 'graded' | 'none';
  /**
   * Whether its `foldIn` is tested too: `true`, or `'ordered'` for one that minds the order of a
   * history. Default: false.
   */
  foldIn?: boolean | 'ordered';
}

/**
 * implicit's checkerboard: even users like even tracks, odd users odd tracks. What user i thinks of
 * track i is withheld: it is the one track that all users of the same taste like and that user i
 * has not played.
 */
function checkerboard(n: number, graded: boolean): Plays {
  const rows: PlayRecord[] = [];
  for (let u = 0; u < n; u++) {
    for (let t = 0; t < n; t++) {
      if (u === t) continue;
      const distance = (t - u + n) % 4;
      if (distance % 2 === 0)
        rows.push({ user: padded('user', u), track: padded('track', t), playcount: 5 });
      else if (graded && distance === 1)
        rows.push({ user: padded('user', u), track: padded('track', t), playcount: 1 });
    }
  }
  return Plays.fromRows(rows);
}

/**
 * Random plays of 20 users × 30 tracks, with a catalogue that has two more tracks, and a title that
 * occurs twice.
 */
export function smallPlays(): Plays {
  const random = new Random('contract');
  const rows: PlayRecord[] = [];
  for (let u = 0; u < 20; u++) {
    const order = random.permutation(30);
    for (let j = 0; j < 6 + (u % 5); j++)
      rows.push({
        user: padded('user', u),
        track: padded('track', order[j]),
        playcount: 1 + random.int(4),
      });
  }
  for (let t = 0; t < 30; t++)
    rows.push({ user: padded('user', t % 20), track: padded('track', t) }); // every track is played
  const table = Table.fromRows(
    Array.from({ length: 32 }, (_, t) => ({
      track_id: padded('track', t),
      name: t === 9 ? 'Song 8' : `Song ${t}`,
      artist: `Artist ${t % 7}`,
      year: t === 3 ? null : 1980 + t,
    })),
  );
  return Plays.fromRows(rows, { catalogue: new Tracks(table) });
}

/**
 * What every recommender must do, whatever its model.
 * @param make trains one, always with the same seed; plays may come with a catalogue
 */
export function recommenderContract(
  name: string,
  make: (plays: Plays) => Promise<Recommender> | Recommender,
  options: ContractOptions = {},
): void {
  const { checkerboard: board = 'likes', foldIn = false } = options;

  describe(`${name} keeps the contract of recommenders`, () => {
    const plays = smallPlays();
    const played = new Map(plays.users.classes.map((user) => [user, new Set<string>()]));
    for (let i = 0; i < plays.length; i++)
      played.get(plays.users.id(plays.user[i]))!.add(plays.tracks.id(plays.track[i]));
    let r: Recommender;
    before(async () => {
      r = await make(plays);
    });

    if (board !== 'none') {
      it('recommends the withheld diagonal of a checkerboard first', async () => {
        const n = 20;
        const checked = await make(checkerboard(n, board === 'graded'));
        const first = checked.users.classes.map((user) => checked.recommend(user, { n: 1 }).ids[0]);
        expect(first).to.deep.equal(Array.from({ length: n }, (_, i) => padded('track', i)));
      });
    }

    it('has a name, the users and the tracks of training, in order and without #na#', () => {
      expect(r.name).to.be.a('string').that.is.not.empty;
      expect(r.users.classes).to.deep.equal([...played.keys()].sort());
      expect(r.tracks.classes).to.deep.equal(
        Array.from({ length: 30 }, (_, t) => padded('track', t)),
      );
      expect(r.knows('user03')).to.equal(true);
      expect(r.knows('#na#')).to.equal(false);
      expect(r.knowsTrack('track29')).to.equal(true);
      expect(r.knowsTrack('track31')).to.equal(false); // in the catalogue only
    });

    it('prints itself in a line, or as the learner that it is', () => {
      const text = inspect(r);
      expect(text).to.equal(String(r));
      if (r instanceof Learner) return;
      expect(text).to.match(/^[^\n]+: [^\n]+$/);
      expect(text).to.contain(`${r.users.length} users`);
      expect(text).to.contain('30 tracks');
    });

    it('knows what each user has played', () => {
      r.users.classes.forEach((user, u) => {
        expect(Array.from(r.seen.row(u), (t) => r.tracks.id(t))).to.deep.equal(
          [...played.get(user)!].sort(),
        );
      });
    });

    it('has finite scores only', () => {
      const bytes = scoreBytes(r);
      expect(
        new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4).every(Number.isFinite),
      ).to.equal(true);
    });

    it('recommends 10 tracks by default and n if told', () => {
      expect(r.recommend('user00').length).to.equal(10);
      expect(r.recommend('user00', { n: 1 }).ids).to.deep.equal(
        r.recommend('user00').ids.slice(0, 1),
      );
      expect(r.recommend('user00', { n: 3 }).ids).to.deep.equal(
        r.recommend('user00').ids.slice(0, 3),
      );
    });

    it('recommends every unseen track, once, when n is larger than the catalogue', () => {
      for (const user of r.users.classes) {
        const { ids } = r.recommend(user, { n: 1000 });
        const unseen = r.tracks.classes.filter((track) => !played.get(user)!.has(track));
        expect([...ids].sort()).to.deep.equal(unseen);
      }
    });

    it('recommends every track, once, without the filter of seen tracks', () => {
      for (const user of r.users.classes)
        expect([...r.recommend(user, { n: 1000, filterSeen: false }).ids].sort()).to.deep.equal(
          r.tracks.classes,
        );
    });

    it('orders by score, descending, and by track index where scores are equal', () => {
      const tracks = r.tracks.length;
      const out = new Float32Array(tracks);
      r.users.classes.forEach((user, u) => {
        r.scores(Int32Array.of(u), out);
        const expected = Array.from({ length: tracks }, (_, t) => t).sort(
          (a, b) => out[b] - out[a] || a - b,
        );
        const list = r.recommend(user, { n: tracks, filterSeen: false });
        expect(list.ids).to.deep.equal(r.tracks.decode(expected));
        expect([...list.scores]).to.deep.equal([...list.scores].sort((a, b) => b - a));
      });
    });

    it('gives the same lists one by one and in a batch', () => {
      for (const options of [
        {},
        { n: 100, filterSeen: false },
        { n: 4, exclude: ['track01', 'track02'] },
      ]) {
        const users = [...r.users.classes].reverse();
        const batch = r.recommendBatch(users, options);
        expect(batch.length).to.equal(users.length);
        users.forEach((user, i) => {
          const single = r.recommend(user, options);
          expect(batch.at(i).ids).to.deep.equal(single.ids);
          expect(batch.at(i).scores).to.deep.equal(single.scores);
        });
      }
      expect(r.recommendBatch([]).length).to.equal(0);
    });

    it('chooses among the given tracks only, named by id, title or "title by artist"', () => {
      const among = ['track05', 'Song 6', 'song 7 by artist 0'];
      const { ids } = r.recommend('user01', { n: 10, among, filterSeen: false });
      expect([...ids].sort()).to.deep.equal(['track05', 'track06', 'track07']);
      const all = r.recommend('user01', { n: 1000, filterSeen: false }).ids;
      expect(ids).to.deep.equal(all.filter((id) => ids.includes(id)));
      expect(
        r.recommend('user01', { among: ['track05', 'track31'], filterSeen: false }).ids,
      ).to.deep.equal(['track05']); // 31: in the catalogue only
    });

    it('never recommends what is excluded, even if it is among the given tracks', () => {
      const exclude = ['Song 6', 'track07', 'track31'];
      const { ids } = r.recommend('user01', { n: 1000, filterSeen: false, exclude });
      expect(ids).to.have.length(28).and.not.include('track06').and.not.include('track07');
      expect(
        r.recommend('user01', { among: ['track05', 'track06'], exclude, filterSeen: false }).ids,
      ).to.deep.equal(['track05']);
      expect(
        r.recommend('user01', { among: ['track06'], exclude, filterSeen: false }).ids,
      ).to.deep.equal([]);
    });

    it('shows rank, id, title, artist, year and score', () => {
      const list = r.recommend('user02', { n: 30, filterSeen: false });
      expect(list).to.be.instanceOf(Table);
      expect(list.columnNames).to.deep.equal([
        'rank',
        'track_id',
        'title',
        'artist',
        'year',
        'score',
      ]);
      const row = list.ids.indexOf('track10');
      expect(list.row(row)).to.deep.equal({
        rank: row + 1,
        track_id: 'track10',
        title: 'Song 10',
        artist: 'Artist 3',
        year: 1990,
        score: list.scores[row],
      });
      expect(list.row(list.ids.indexOf('track03')).year).to.equal(null);
      expect(list.toString(30)).to.include('Song 10');
    });

    it('refuses an unknown user with a suggestion and a way out', () => {
      const wayOut = r.canFoldIn
        ? 'foldIn\\(history\\) recommends from a history'
        : 'add their plays and train again';
      for (const ask of [
        () => r.recommend('User 05'),
        () => r.recommendBatch(['user01', 'User 05']),
      ]) {
        expect(ask).to.throw(
          UnknownIdError,
          new RegExp(
            `Unknown user "User 05"\\. 20 users known; did you mean "user05"\\? .*plays.*${wayOut}`,
          ),
        );
      }
    });

    it('refuses what is no id: the text of a list of one is that of the one', () => {
      for (const odd of [['user01'], {}, null, undefined, true]) {
        const got = `is given by an id, a text or a number, got ${whatIs(odd)}.`;
        expect(() => r.recommendBatch(['user01', odd as never])).to.throw(ArgumentError, got);
        expect(() => r.recommend('user01', { exclude: [odd as never] })).to.throw(
          ArgumentError,
          got,
        );
      }
    });

    it('takes a number that is no id for an index, and says how to get at the id', () => {
      expect(() => r.recommend(3)).to.throw(
        UnknownIdError,
        /^Unknown user "3"\. .* users\.id\(3\) is the id of user number 3\.$/,
      );
      expect(() => r.recommend('user01', { exclude: [3] })).to.throw(
        UnknownIdError,
        / tracks\.id\(3\) is the id of track number 3\.$/,
      );
      expect(() => r.recommend(1000)).to.throw(UnknownIdError, /^(?!.*number 1000)/);
    });

    it('refuses an unknown track with a suggestion', () => {
      expect(() => r.recommend('user01', { among: ['Song 12x'] })).to.throw(
        UnknownIdError,
        'did you mean "Song 12"?',
      );
      expect(() => r.recommend('user01', { exclude: ['trakc04'] })).to.throw(
        UnknownIdError,
        'did you mean "track04"?',
      );
      expect(() => r.similarTracks('Sonk 12')).to.throw(UnknownIdError, 'did you mean "Song 12"?');
      expect(() => r.similarTracks('Song 31')).to.throw(
        UnknownIdError,
        'nobody plays it in the training data',
      );
    });

    it('lists the candidates of an ambiguous title', () => {
      expect(() => r.similarTracks('Song 8')).to.throw(ArgumentError, /track08[\s\S]*track09/);
      expect(r.similarTracks('Song 8 by Artist 2', { n: 50 }).ids)
        .to.include('track08')
        .and.not.include('track09');
    });

    it('refuses options that make no sense', () => {
      for (const n of [0, -1, 1.5, NaN, Infinity]) {
        expect(() => r.recommend('user01', { n })).to.throw(
          ArgumentError,
          `n must be a positive whole number, got ${n}`,
        );
        expect(() => r.similarTracks('track01', { n })).to.throw(
          ArgumentError,
          'n must be a positive whole number',
        );
      }
      expect(() => r.recommend('user01', { among: [] })).to.throw(ArgumentError, 'among is empty');
      expect(() => r.recommend('user01', { among: ['track30', 'track31'] })).to.throw(
        ArgumentError,
        'None of the 2 tracks',
      );
      expect(() => r.recommend('user01', { filterSeen: 'no' as unknown as boolean })).to.throw(
        ArgumentError,
        'filterSeen must be true or false',
      );
    });

    it('finds similar users: not the user themselves, most similar first, n of them', () => {
      const list = r.similarUsers('user05');
      expect(list.length).to.equal(10);
      expect(list.columnNames).to.deep.equal(['rank', r.names?.user ?? 'user_id', 'similarity']);
      expect([...list.numbers('rank')]).to.deep.equal(Array.from({ length: 10 }, (_, i) => i + 1));
      expect(list.strings(list.columnNames[1])).to.not.include('user05');
      expect([...list.numbers('similarity')]).to.deep.equal(
        [...list.numbers('similarity')].sort((a, b) => b - a),
      );
      expect(r.similarUsers('user05', { n: 1000 }).length).to.equal(19);
      const vectors = r.userVectors?.();
      if (vectors) expect(vectors.values.length).to.equal(20 * vectors.width);
      else {
        const shared = (id: string): number =>
          [...played.get(id)!].filter((track) => played.get('user05')!.has(track)).length;
        const cosine = (id: string): number =>
          shared(id) / Math.sqrt(played.get(id)!.size * played.get('user05')!.size);
        list.strings(list.columnNames[1]).forEach((id, i) => {
          expect(list.numbers('similarity')[i]).to.be.closeTo(cosine(id!), 1e-6);
        });
      }
      expect(() => r.similarUsers('User 05')).to.throw(UnknownIdError, 'did you mean "user05"?');
      expect(() => r.similarUsers('user05', { n: 0 })).to.throw(
        ArgumentError,
        'n must be a positive whole number',
      );
      expect(() => r.similarUsers('user05', { k: 3 } as never)).to.throw(
        ArgumentError,
        'similarUsers has no option "k"',
      );
    });

    it('folds listeners in, or says that it cannot', () => {
      if (foldIn) expect(r.canFoldIn).to.equal(true);
      if (!r.canFoldIn)
        expect(() => r.foldIn(['track01'])).to.throw(
          ArgumentError,
          `${r.name} cannot fold in a user whom it was not trained on`,
        );
    });

    it('finds similar tracks: not the track itself, most similar first, n of them', () => {
      const list = r.similarTracks('track05');
      expect(list.length).to.equal(10);
      expect(list.columnNames[list.columnNames.length - 1]).to.equal('similarity');
      expect(list.ids).to.not.include('track05');
      expect([...list.scores]).to.deep.equal([...list.scores].sort((a, b) => b - a));
      expect(r.similarTracks('Song 5', { n: 1000 }).ids).to.have.length(29);
      expect(r.similarTracks('track05', { among: ['track05', 'track06'] }).ids).to.deep.equal([
        'track06',
      ]);
    });

    if (foldIn) {
      const taste =
        board === 'none'
          ? undefined
          : { make: () => make(checkerboard(20, board === 'graded')), graded: board === 'graded' };
      foldInContract(() => r, { ordered: foldIn === 'ordered', taste });
    }

    it('gives the same bytes when it is made again, and when it has answered before', async () => {
      const before = scoreBytes(r);
      r.recommend('user01', { n: 100, exclude: ['track01'] });
      expect(scoreBytes(r).equals(before)).to.equal(true);
      expect(scoreBytes(await make(plays)).equals(before)).to.equal(true);
    });
  });
}
