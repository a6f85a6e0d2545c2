import { expect } from 'chai';
import { Plays } from '../../../lib/recital/data/plays.js';
import { Sessions } from '../../../lib/recital/data/sessions.js';
import { Table } from '../../../lib/recital/data/table.js';
import { Tracks } from '../../../lib/recital/data/tracks.js';
import { evaluate } from '../../../lib/recital/evaluation/evaluate.js';
import { Popularity } from '../../../lib/recital/recommend/baselines/popularity.js';
import { ItemKNN } from '../../../lib/recital/recommend/neighbours/knn.js';
import { smallPlays } from '../recommend/contract.js';

/** What a server answers. */
const sent = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('JSON.stringify', () => {
  const plays = smallPlays();
  const knn = new ItemKNN(plays);
  const first = knn.recommend('user03', { n: 2 }).row(0);

  it('of a list gives a record a track, with title and score', () => {
    const list = sent(knn.recommend('user03', { n: 2 })) as Record<string, unknown>[];
    expect(list).to.have.length(2);
    expect(list[0]).to.deep.equal(first);
    expect(list[0]).to.have.all.keys('rank', 'track_id', 'title', 'artist', 'year', 'score');
    expect(sent(knn.similarTracks('track05', { n: 3 }))).to.have.length(3);
    expect(sent(knn.similarUsers('user03', { n: 3 }))).to.have.length(3);
  });

  it('of plays, sessions, tracks and vocabularies gives records and ids', () => {
    const some = Plays.fromRows([
      { user: 'v', track: 'b', playcount: 3 },
      { user: 'u', track: 'a' },
    ]);
    expect(sent(some)).to.deep.equal([
      { track_id: 'b', user_id: 'v', playcount: 3 },
      { track_id: 'a', user_id: 'u', playcount: 1 },
    ]);
    expect(sent(some.users)).to.deep.equal(['u', 'v']);
    const sessions = Sessions.fromTable(
      Table.fromRows(['b', 'a', 'b'].map((item, i) => ({ session: Math.min(i, 1), item }))),
    );
    expect(sent(sessions)).to.deep.equal([['b'], ['a', 'b']]);
    const rows = [{ track_id: 'a', name: 'A' }];
    expect(sent(new Tracks(Table.fromRows(rows)))).to.deep.equal(rows);
  });

  it('of a batch gives each user with the list', () => {
    const batch = sent(knn.recommendBatch(['user03', 'user04'], { n: 2 })) as {
      user: string;
      recommendations: unknown[];
    }[];
    expect(batch.map(({ user }) => user)).to.deep.equal(['user03', 'user04']);
    expect(batch[0].recommendations).to.deep.equal(sent(knn.recommend('user03', { n: 2 })));
  });

  it('of an explanation gives what adds up', () => {
    const why = knn.explain('user03', 'track05');
    const told = sent(why) as {
      track: string;
      total: number;
      remainder: number;
      tracks: { contribution: number }[];
    };
    expect(told.track).to.equal(why.name);
    expect(told.total).to.equal(why.total);
    expect(told.tracks.length).to.equal(why.length);
    expect(
      told.tracks.reduce((sum, { contribution }) => sum + contribution, told.remainder),
    ).to.be.closeTo(told.total, 1e-9);
  });

  it('of a listener who is folded in gives the history and what is recommended', () => {
    const folded = knn.foldIn(['track01', 'nobody knows it'], { skipUnknown: true });
    expect(sent(folded)).to.deep.equal({
      history: ['track01'],
      skipped: ['nobody knows it'],
      recommendations: sent(folded.recommend()),
    });
  });

  it('of a comparison gives what it saves', async () => {
    const some = plays.take(Array.from({ length: 120 }, (_, i) => i));
    const rest = plays.take(Array.from({ length: plays.length - 120 }, (_, i) => i + 120));
    const compared = await evaluate([new Popularity(some)], { train: some, test: rest } as never);
    expect(sent(compared)).to.have.all.keys('card', 'results', 'leftOut');
  });
});
