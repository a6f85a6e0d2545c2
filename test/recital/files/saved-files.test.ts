import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { Random } from '../../../lib/recital/compute/random.js';
import { readSafetensors, writeSafetensors } from '../../../lib/recital/data/files/safetensors.js';
import { DataError } from '../../../lib/recital/errors.js';
import { loadLearner, loadRecommender } from '../../../lib/recital/files/load.js';
import { Learner } from '../../../lib/recital/learner/learner.js';
import type { Recommender } from '../../../lib/recital/recommend/recommender.js';
import { registerRecommenderKind } from '../../../lib/recital/recommend/saved-form.js';
import { Friends } from '../../bench/support/friends.js';
import { trainLearner } from '../../support/exported.js';
import { TemporaryFolder } from '../data/temporary.js';
import { smallPlays } from '../recommend/contract.js';

/**
 * Files as they were written before there were checksums: one of each kind that could be exported
 * then, and what was recommended.
 */
const cases = path.join(__dirname, '../../cases/saved');

interface Lists {
  recommend: string[];
  scores: number[];
  similar: string[];
  foldIn?: string[];
}
type Exportable = Recommender & { export(file: string): string };

const learners = ['learner', 'network', 'lstm', 'light-gcn'];
const load = (name: string, file: string): Exportable =>
  (learners.includes(name)
    ? loadLearner(file, { type: Learner })
    : loadRecommender(file)) as unknown as Exportable;

registerRecommenderKind({ ...Friends.saved, type: Friends }); // a class of one's own since

describe('files of models', () => {
  const folder = new TemporaryFolder();
  const lists = JSON.parse(readFileSync(path.join(cases, 'lists.json'), 'utf8')) as Record<
    string,
    Lists
  >;
  const written = new Map<string, string>();
  const checkpoint = (): Promise<Learner> =>
    trainLearner(smallPlays(), { nFactors: 3, path: folder.path });

  it('of before checksums load, and give the lists that they gave', () => {
    expect(readdirSync(cases).filter((name) => name.endsWith('.safetensors')).length).to.equal(
      Object.keys(lists).length + 1,
    );
    for (const [name, expected] of Object.entries(lists)) {
      const file = path.join(cases, `${name}.safetensors`);
      expect(readSafetensors(file).metadata, name).to.not.have.property('sha256');
      const loaded = load(name, file);
      const list = loaded.recommend('user03', { n: 5 });
      expect(list.ids, name).to.deep.equal(expected.recommend);
      list.scores.forEach((score, i) => {
        expect(score, name).to.be.closeTo(expected.scores[i], 1e-6);
      });
      expect(loaded.similarTracks('track05', { n: 5 }).ids, name).to.deep.equal(expected.similar);
      if (expected.foldIn)
        expect(loaded.foldIn(['track01', 'track04']).recommend({ n: 5 }).ids, name).to.deep.equal(
          expected.foldIn,
        );
      written.set(name, loaded.export(path.join(folder.path, name)));
    }
  });

  it('of before checksums load into a learner that is there', async () => {
    const learn = await checkpoint();
    const before = learn.model.parameters.map(({ value }) => value.slice());
    for (const { value } of learn.model.parameters) value.fill(0);
    learn.load(path.join(cases, 'checkpoint'));
    learn.model.parameters.forEach(({ value }, i) => {
      value.forEach((x, j) => {
        expect(x).to.be.closeTo(before[i][j], 1e-6);
      });
    });
  });

  it('are refused when a bit is another, wherever it is', async () => {
    const learn = await checkpoint();
    const kinds: [string, string, (file: string) => unknown][] = [
      ['checkpoint', learn.save(path.join(folder.path, 'checkpoint')), (file) => learn.load(file)],
      ...Array.from(written, ([name, file]): [string, string, (file: string) => unknown] => [
        name,
        file,
        (changed) => load(name, changed),
      ]),
    ];
    expect(kinds.length).to.be.greaterThan(14);
    const random = new Random('flips');
    const bad = path.join(folder.path, 'bad.safetensors');
    for (const [name, file, read] of kinds) {
      const good = readFileSync(file);
      const header = 8 + Number(good.readBigUInt64LE());
      const state = name === 'checkpoint' ? learn.model.parameters[0].value.slice() : undefined;
      for (let i = 0; i < 60; i++) {
        const at = i < 25 ? random.int(header) : header + random.int(good.length - header);
        const copy = Buffer.from(good);
        copy[at] ^= 1 << random.int(8);
        writeFileSync(bad, copy);
        expect(() => read(bad), `${name}, byte ${at}`).to.throw(DataError);
      }
      if (state)
        expect(learn.model.parameters[0].value, 'a refused file changes nothing').to.deep.equal(
          state,
        );
    }
  });

  it('say that they are damaged, and what to do', async () => {
    const file = (await checkpoint()).save(path.join(folder.path, 'whole'));
    const good = readFileSync(file);
    good[good.length - 3] ^= 1;
    writeFileSync(file, good);
    const learn = await checkpoint();
    expect(() => learn.load(file)).to.throw(
      DataError,
      /whole\.safetensors": it is damaged: its content is not what was written/,
    );
    const { tensors, metadata } = readSafetensors(file);
    expect(metadata.sha256).to.match(/^[0-9a-f]{64}$/);
    const { sha256: _, ...rest } = metadata;
    writeSafetensors(file, tensors, { metadata: rest });
    expect(() => learn.load(file)).to.not.throw(); // changed on purpose
    writeSafetensors(file, tensors, { metadata: { ...rest, sha25v: metadata.sha256 } });
    expect(() => learn.load(file)).to.throw(DataError, 'metadata of an unknown name, "sha25v"');
  });

  it('are whole, however their header is written and their tensors are arranged, as Python would', async () => {
    const learn = await checkpoint();
    const file = learn.save(path.join(folder.path, 'arranged'));
    const { tensors, metadata } = readSafetensors(file);
    writeSafetensors(file, new Map([...tensors].reverse()), {
      metadata: Object.fromEntries(Object.entries(metadata).reverse()),
    });
    expect(() => learn.load(file)).to.not.throw();
  });
});
