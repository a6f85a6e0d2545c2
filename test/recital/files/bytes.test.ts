import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ArgumentError, DataError } from '../../../lib/recital/errors.js';
import {
  loadLearner,
  loadRecommender,
  loadRecommenderAsync,
} from '../../../lib/recital/files/load.js';
import { ItemKNN } from '../../../lib/recital/recommend/neighbours/knn.js';
import { trainLearner } from '../../support/exported.js';
import { TemporaryFolder } from '../data/temporary.js';
import { smallPlays } from '../recommend/contract.js';

describe('a recommender from bytes', () => {
  const folder = new TemporaryFolder();
  const plays = smallPlays();
  const user = plays.users.id(0);
  let bytes: Buffer;
  before(() => {
    bytes = readFileSync(new ItemKNN(plays).export(join(folder.path, 'knn')));
  });
  const buffer = (): ArrayBuffer => new Uint8Array(bytes).buffer;

  it('is that of the file, from a Buffer, a view of more bytes, or an ArrayBuffer', async () => {
    const expected = String(new ItemKNN(plays).recommend(user, { n: 3 }));
    const longer = new Uint8Array(bytes.length + 3);
    longer.set(bytes, 3);
    for (const source of [bytes, longer.subarray(3), buffer()]) {
      const loaded = loadRecommender(source, { type: ItemKNN });
      expect(String(loaded.recommend(user, { n: 3 }))).to.equal(expected);
    }
    const inSlices = await loadRecommenderAsync(buffer());
    expect(String(inSlices.recommend(user, { n: 3 }))).to.equal(expected);
  });

  it('is not changed when the bytes are', () => {
    const source = new Uint8Array(buffer());
    const loaded = loadRecommender(source);
    const before = String(loaded.recommend(user, { n: 3 }));
    source.fill(0);
    expect(String(loaded.recommend(user, { n: 3 }))).to.equal(before);
  });

  it('may be a learner', async () => {
    const file = (await trainLearner(plays, { path: folder.path })).export('learner');
    const [own, other] = [loadLearner(readFileSync(file)), loadLearner(file)];
    expect(String(own.recommend(user, { n: 3 }))).to.equal(String(other.recommend(user, { n: 3 })));
  });

  it('says of damaged ones that they were given as bytes; refuses what is no file', () => {
    const damaged = new Uint8Array(buffer());
    damaged[damaged.length - 1] ^= 1;
    expect(() => loadRecommender(damaged)).to.throw(
      DataError,
      /^The file given as bytes: it is damaged/,
    );
    expect(() => loadRecommender(damaged.subarray(0, 99))).to.throw(DataError, 'cut off');
    expect(() => loadRecommender(new ArrayBuffer(0))).to.throw(DataError, 'it has 0 bytes');
    for (const load of [loadRecommender, loadLearner])
      for (const wrong of [7, undefined, [1], new Float32Array(2)])
        expect(() => load(wrong as never)).to.throw(
          ArgumentError,
          'the path of a file that export wrote, or its bytes (an ArrayBuffer or a Uint8Array), got',
        );
  });
});
