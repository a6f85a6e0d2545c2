import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import type { Plays } from '../../lib/data/plays.js';
import { DataError } from '../../lib/errors.js';
import { loadRecommender } from '../../lib/recommend/load-recommender.js';
import type { Recommender } from '../../lib/recommend/recommender.js';
import { smallPlays } from './contract.js';
import { scoreBytes } from './contract-support.js';

/** What `export` must do: `loadRecommender` makes a recommender with the same scores, lists and titles of what it wrote. */
export function exportContract(
  name: string,
  make: (plays: Plays) => Promise<Recommender & { export(file: string): string }> | (Recommender & { export(file: string): string }),
): void {
  describe(`${name} is exported and loaded`, () => {
    let dir: string;
    before(() => {
      dir = mkdtempSync(path.join(tmpdir(), 'recital-'));
    });
    after(() => rmSync(dir, { recursive: true, force: true }));

    it('gives the same lists when it is loaded, as a copy of the same kind', async () => {
      const r = await make(smallPlays());
      const file = r.export(path.join(dir, 'model'));
      expect(file).to.equal(path.join(dir, 'model.safetensors'));
      const loaded = loadRecommender(path.join(dir, 'model'));
      expect(loaded.constructor).to.equal(r.constructor);
      expect(loaded.name).to.equal(r.name);
      expect(scoreBytes(loaded).equals(scoreBytes(r))).to.equal(true);
      expect(loaded.recommend('user03', { n: 5 }).toString()).to.equal(r.recommend('user03', { n: 5 }).toString());
      expect(loaded.similarTracks('Song 5').ids).to.deep.equal(r.similarTracks('Song 5').ids);
      expect(loaded.seen.playcount).to.deep.equal(r.seen.playcount);
      if (r.foldIn) expect(loaded.foldIn!(['track01', 'track04']).scores).to.deep.equal(r.foldIn(['track01', 'track04']).scores);
    });

    it('refuses a file that is cut off, or of another kind', async () => {
      const file = (await make(smallPlays())).export(path.join(dir, 'whole'));
      const bytes = readFileSync(file);
      const cut = path.join(dir, 'cut.safetensors');
      writeFileSync(cut, bytes.subarray(0, bytes.length - 100));
      expect(() => loadRecommender(cut)).to.throw(DataError);
      expect(() => loadRecommender(path.join(dir, 'none'))).to.throw(DataError);
      class Other {}
      expect(() => loadRecommender(file, { type: Other as never })).to.throw(DataError, 'not a Other');
    });
  });
}
