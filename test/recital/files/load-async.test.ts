import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { atOnce, type Steps } from '../../../lib/recital/compute/interrupt.js';
import { Random } from '../../../lib/recital/compute/random.js';
import { vocabularyInSteps } from '../../../lib/recital/data/files/prepare.js';
import {
  readSafetensors,
  safetensorsInSteps,
  writeSafetensors,
} from '../../../lib/recital/data/files/safetensors.js';
import { Table } from '../../../lib/recital/data/table.js';
import { Tracks } from '../../../lib/recital/data/tracks.js';
import { Vocabulary } from '../../../lib/recital/data/vocabulary.js';
import { loadRecommender, loadRecommenderAsync } from '../../../lib/recital/files/load.js';
import { readAhead } from '../../../lib/recital/learner/model-file.js';
import { Popularity } from '../../../lib/recital/recommend/baselines/popularity.js';
import { ALS } from '../../../lib/recital/recommend/factors/als.js';
import { FactorRecommender } from '../../../lib/recital/recommend/factors/factors.js';
import { Interactions } from '../../../lib/recital/recommend/interactions.js';
import { trainLearner } from '../../support/exported.js';
import { TemporaryFolder } from '../data/temporary.js';
import { smallPlays } from '../recommend/contract.js';
import { scoreBytes } from '../recommend/contract-support.js';

/** What comes of a call: its error, or a name. */
async function outcome(work: () => unknown): Promise<string> {
  try {
    const made = (await work()) as { name: string };
    return `made ${made.name}`;
  } catch (error) {
    const { name, message } = error as Error;
    return `${name}: ${message}`;
  }
}

/** A recommender of so many users with so many factors, 500 tracks and 8 plays a user. */
function large(users: number, width: number): FactorRecommender {
  const n = 500;
  const ids = Array.from({ length: n }, (_, i) => `t${i}`);
  const random = new Random(1);
  const values = (rows: number): Float32Array =>
    Float32Array.from({ length: rows * width }, () => (random.int(1000) - 500) / 1000);
  const name = (i: number): string => `user ${String(i).padStart(30, '0')}`;
  const vocabulary = Vocabulary.fromValues(Array.from({ length: users }, (_, i) => name(i)));
  const seen = Interactions.fromCsr({
    users: vocabulary,
    tracks: Vocabulary.fromValues(ids),
    indptr: Int32Array.from({ length: users + 1 }, (_, u) => 8 * u),
    indices: Int32Array.from({ length: 8 * users }, (_, i) => 50 * (i % 8) + (i % 50)),
  });
  const catalogue = new Tracks(new Table({ track_id: ids, name: ids }));
  return new FactorRecommender(
    seen,
    { users: values(users), tracks: values(n), width },
    { catalogue },
  );
}

describe('loadRecommenderAsync', () => {
  const folder = new TemporaryFolder();
  const at = (name: string): string => path.join(folder.path, name);

  it('never works for long without giving the event loop a turn', async function () {
    this.timeout(60_000);
    const file = large(120_000, 64).export(at('large'));
    expect(statSync(file).size).to.be.greaterThan(40e6);
    const used = (): number => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1000;
    };
    let made = loadRecommender(file);
    let least = Infinity; // of three loads: other threads of this process count, too
    for (let load = 0; load < 3 && least >= 100; load++) {
      let [before, turns, longest] = [used(), 0, 0];
      const turn = (): void => {
        const now = used();
        [before, turns, longest] = [now, turns + 1, Math.max(longest, now - before)];
        waiting = setImmediate(turn);
      };
      let waiting = setImmediate(turn);
      made = await loadRecommenderAsync(file);
      clearImmediate(waiting);
      expect(turns).to.be.greaterThan(4);
      least = Math.min(least, longest);
    }
    expect(least, 'ms of CPU').to.be.below(100); // 30 on a free machine
    expect(made.recommend(made.users.id(77_777), { n: 5 }).ids).to.deep.equal(
      loadRecommender(file).recommend(made.users.id(77_777), { n: 5 }).ids,
    );
  });

  it('leaves nothing for the end but to put together what has been read and checked', () => {
    const file = large(20_000, 8).export(at('steps'));
    const steps: Steps<void> = safetensorsInSteps(file, function* (st) {
      const findings = yield* readAhead(st);
      const info = st.tensors.get('catalogue.track_id.bytes')!;
      expect(findings.get(info, 'tracks')).to.be.instanceOf(Tracks);
      expect(findings.get(st, 'sha256')).to.equal(st.metadata.sha256);
      for (const [tensor, dtype, what] of [
        ['model.users', 'F32', 'finite shared'],
        ['model.tracks', 'F32', 'finite'],
        ['users.bytes', 'U8', 'packed ordered'],
        ['tracks.bytes', 'U8', 'ordered'],
        ['seen.playcount', 'F32', 'positive'],
        ['seen.indptr', 'I32', 'rowOfEach'],
      ] as const) {
        const values = st.read(tensor, dtype);
        for (const each of what.split(' '))
          expect(findings.get(values, each), `${tensor} ${each}`).to.be.ok;
      }
    });
    atOnce(steps);
  });

  it('refuses what loadRecommender refuses, with the same words, checksum or not', async function () {
    this.timeout(60_000);
    const plays = smallPlays();
    const learn = await trainLearner(plays);
    const files = [
      (await ALS.fit(plays, { factors: 4, iterations: 2 })).export(at('als')),
      new Popularity(plays).export(at('popular')),
      learn.export(at('learner')),
    ];
    const random = new Random('async');
    const bad = at('bad.safetensors');
    const outcomes = new Set<string>();
    for (const file of files) {
      const whole = readFileSync(file);
      const { tensors, metadata } = readSafetensors(file);
      const { sha256: _, ...rest } = metadata;
      writeSafetensors(at('unsigned.safetensors'), tensors, { metadata: rest });
      const unsigned = readFileSync(at('unsigned.safetensors'));
      for (const good of [whole, unsigned])
        for (let i = 0; i < 60; i++) {
          const copy = Buffer.from(good);
          const header = 8 + Number(good.readBigUInt64LE());
          const place = i < 15 ? random.int(header) : header + random.int(good.length - header);
          if (i % 10 === 0) writeFileSync(bad, copy.subarray(0, place));
          else {
            copy[place] ^= 1 << random.int(8);
            writeFileSync(bad, copy);
          }
          const expected = await outcome(() => loadRecommender(bad));
          outcomes.add(expected.replace(/".*|\d+/gs, ''));
          expect(await outcome(() => loadRecommenderAsync(bad)), `${file}, ${i}`).to.equal(
            expected,
          );
        }
    }
    expect(outcomes.size).to.be.greaterThan(2);
    for (const [name, tensor] of [
      ['als', 'model.users'],
      ['learner', 'model.uWeight'],
    ]) {
      const { tensors, metadata } = readSafetensors(at(`${name}.safetensors`));
      const { sha256: _, ...rest } = metadata;
      const wrong = [...tensors.keys()].find((each) => each.startsWith(tensor.slice(0, 7)))!;
      tensors.get(wrong)!.data[1] = NaN;
      writeSafetensors(bad, tensors, { metadata: rest });
      const said = await outcome(() => loadRecommender(bad));
      expect(said).to.match(/NaN/);
      expect(await outcome(() => loadRecommenderAsync(bad))).to.equal(said);
    }
  });

  it('refuses other files, kinds and arguments as a rejection', async () => {
    writeSafetensors(at('other.safetensors'), { a: { shape: [1], data: Float32Array.of(1) } });
    const learn = await trainLearner(smallPlays(), { path: folder.path });
    const checkpoint = learn.save(at('checkpoint'));
    const popular = new Popularity(smallPlays()).export(at('popular'));
    for (const work of [loadRecommender, loadRecommenderAsync] as ((
      ...args: unknown[]
    ) => unknown)[]) {
      const of = async (...args: unknown[]): Promise<string> =>
        (await outcome(() => work(...args))).replace('Async', '');
      expect(await of(at('none'))).to.match(/^DataError: There is no/);
      expect(await of(at('other'))).to.match(/not one that learn.save or learn.export wrote/);
      expect(await of(checkpoint)).to.match(/it is a checkpoint/);
      expect(await of(popular, { type: ALS })).to.match(/it holds a Popularity, not a ALS/);
      expect(await of(5)).to.match(/^ArgumentError: loadRecommender needs the path/);
      expect(await of(popular, { kind: ALS })).to.match(/^ArgumentError: loadRecommender has no/);
    }
    const [made, typed] = [loadRecommenderAsync(popular), loadRecommenderAsync(5 as never)];
    expect(made).to.be.instanceOf(Promise);
    expect(await outcome(() => typed)).to.match(/ArgumentError/);
    const open = (): number =>
      existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0;
    const before = open();
    for (let i = 0; i < 20; i++)
      await outcome(() => loadRecommenderAsync(popular, { type: ALS as never }));
    expect(open()).to.be.below(before + 10);
  });

  it('loads several at once, each its own', async () => {
    const plays = smallPlays();
    const made = await Promise.all(
      [1, 2, 3].map(async (seed) => ALS.fit(plays, { factors: 4, iterations: 1, seed })),
    );
    const files = made.map((als, i) => als.export(at(`als-${i}`)));
    const loaded = await Promise.all(files.map((file) => loadRecommenderAsync(file)));
    for (const [i, one] of loaded.entries())
      expect(scoreBytes(one).equals(scoreBytes(made[i]))).to.equal(true);
  });
});

describe('a vocabulary made in steps', () => {
  it('is that of Vocabulary.inOrder (property)', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 6 });
    fc.assert(
      fc.property(fc.array(text, { maxLength: 60 }), (values) => {
        const expected = Vocabulary.inOrder(values, { kind: 'track' });
        expect(atOnce(vocabularyInSteps(values, 'track'))).to.deep.equal(expected);
      }),
      { numRuns: 200 },
    );
    const many = Array.from({ length: 20_000 }, (_, i) =>
      i % 5
        ? `${(i * 7919) % 17_000}`
        : `${String.fromCodePoint(0xff00 + (i % 200), 0x1f600 + (i % 60))}${i}`,
    );
    expect(atOnce(vocabularyInSteps(many, 'track'))).to.deep.equal(
      Vocabulary.inOrder(many, { kind: 'track' }),
    );
  });
});
