import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  readSafetensors,
  type Tensor,
  writeSafetensors,
} from '../../../lib/recital/data/files/safetensors.js';
import { DataError } from '../../../lib/recital/errors.js';
import { loadLearner } from '../../../lib/recital/files/load.js';
import type { CollabLearner } from '../../../lib/recital/recommend/learners/collab.js';
import { CollabNNLearner } from '../../../lib/recital/recommend/learners/collab-nn.js';
import { trainLearner, trainNetwork } from '../../support/exported.js';
import { TemporaryFolder } from '../data/temporary.js';
import { smallPlays } from '../recommend/contract.js';

describe('loadLearner refuses', () => {
  const folder = new TemporaryFolder();
  const plays = smallPlays();
  let file: string;
  before(async () => {
    file = (await trainLearner(plays, { path: folder.path, yRange: [-0.2, 1.2] })).export();
  });

  interface Described {
    loaders: string;
    model: Record<string, unknown>;
    loss: Record<string, unknown>;
    target: Record<string, unknown>;
    bs: unknown;
    names: Record<string, unknown>;
    negatives?: unknown;
  }

  /** A file with changes. */
  function changed(
    change: (tensors: Map<string, Tensor>, config: Described) => void,
  ): () => CollabLearner {
    const {
      tensors,
      metadata: { sha256: _, ...metadata },
    } = readSafetensors(file);
    const copy = new Map(tensors);
    const config = JSON.parse(metadata.config) as Described;
    change(copy, config);
    const bad = path.join(folder.path, 'bad.safetensors');
    writeSafetensors(bad, copy, { metadata: { ...metadata, config: JSON.stringify(config) } });
    return () => loadLearner(bad);
  }

  it('descriptions that make no sense, and takes no memory for models that the file does not hold', () => {
    const bad: [(config: Described, tensors: Map<string, Tensor>) => void, string][] = [
      [
        (c) => (c.model.name = 'constructor'),
        'its model is "constructor"; known are EmbeddingDotBias, EmbeddingNN',
      ],
      [(c) => (c.model.name = '__proto__'), 'its model is "__proto__"'],
      [(c) => (c.loaders = 'other'), 'loaders should be collab, got "other"'],
      [
        (c) => (c.model.nFactors = 1e9),
        'it holds 364 weights, a EmbeddingDotBias such as it describes has 52000000052',
      ],
      [(c) => (c.model.nFactors = 0), 'such as it describes has 52'],
      [(c) => (c.model.nFactors = '6'), 'nFactors should be a whole number'],
      [(c) => (c.model.yRange = [1, 0]), 'yRange'],
      [(c) => (c.model.prior = { liked: 'all', weight: 1 }), 'liked should be a number'],
      [(c) => (c.model.prior = { liked: 1 }), 'weight should be a number'],
      [(c) => (c.model.yRange = [1]), 'yRange should be 2 numbers'],
      [
        (c) => (c.loss = { name: 'BCEWithLogitsLossFlat', posWeight: -1 }),
        'posWeight must be positive',
      ],
      [(c) => (c.loss = { name: 'BCEWithLogitsLossFlat', run: 'me' }), 'unknown field "run"'],
      [(c) => (c.loss = { name: 'toString' }), "not one of the library's losses"],
      [
        (c) => (c.target.target = 'length'),
        "target should be 'binary' or 'log' or 'rank' or 'count'",
      ],
      [(c) => (c.bs = 0), 'bs must be a'],
      [(c) => (c.negatives = { n: 0 }), 'negatives.n should be 1 or more'],
      [(c) => (c.negatives = { sampling: 'all' }), "sampling should be 'uniform' or 'popularity'"],
      [(c) => (c.names.user = null), 'names.user should be text'],
      [(_, t) => t.delete('classes.item.offsets'), 'no tensor "classes.item.offsets"'],
      [(_, t) => t.delete('seen.indices'), 'no tensor "seen.indices"'],
      [(_, t) => (t.get('seen.indices')!.data[0] = 31), 'Row 1 has the number 31'],
      [(_, t) => (t.get('seen.indptr')!.data[1] = -1), 'Row 0 has less than no numbers'],
      [
        (_, t) => t.set('catalogue.year', { shape: [1], data: new Float64Array(1) }),
        'catalogue.year',
      ],
      [
        (_, t) => t.set('catalogue.artist.offsets', { shape: [1], data: new Uint32Array(1) }),
        'catalogue.artist is damaged',
      ],
      [
        (_, t) => t.set('catalogue.name.bytes', { shape: [0], data: new Uint8Array(0) }),
        'catalogue.name is damaged',
      ],
      [(_, t) => (t.get('model.uBias')!.data[4] = NaN), 'model.uBias" holds NaN'],
      [
        (_, t) => t.set('model.more', { shape: [1], data: new Float32Array(1) }),
        'it holds 365 weights',
      ],
    ];
    for (const [change, message] of bad)
      expect(
        changed((tensors, config) => void change(config, tensors)),
        message,
      ).to.throw(DataError, message);
  });

  it('networks that make no sense', async () => {
    const {
      tensors,
      metadata: { sha256: _, ...metadata },
    } = readSafetensors((await trainNetwork(plays, { path: folder.path })).export('network'));
    const bad: [Record<string, unknown>, string][] = [
      [{ layers: [12] }, 'it holds'],
      [{ layers: [0, 1e15] }, 'it holds'],
      [{ layers: 12 }, 'layers should be a list of whole numbers'],
      [{ layers: [12.5, 5] }, 'layers should be a list of whole numbers'],
      [{ embSzs: { user: 4 } }, 'embSzs.item should be a whole number'],
      [{ ps: [0.1] }, 'ps has 1 probabilities for 2 hidden layers'],
      [{ ps: [1, 0] }, 'probability of dropout must be'],
      [{ embedP: -1 }, 'probability of dropout must be'],
      [{ embedP: 0 }, 'unexpected: buffers.emb_drop.step'],
      [{ useBn: 'yes' }, 'useBn should be true or false'],
      [{ useBn: false }, 'it holds'],
      [{ yRange: [1, 1] }, 'yRange'],
    ];
    const file = path.join(folder.path, 'bad-network.safetensors');
    for (const [change, message] of bad) {
      const config = JSON.parse(metadata.config) as { model: Record<string, unknown> };
      Object.assign(config.model, change);
      writeSafetensors(file, tensors, {
        metadata: { ...metadata, config: JSON.stringify(config) },
      });
      expect(() => loadLearner(file, { type: CollabNNLearner }), message).to.throw(
        DataError,
        message,
      );
    }
  });

  it('or loads whatever is changed in a file, and raises no other error (fuzz)', () => {
    const good = readFileSync(file);
    const header = 8 + Number(good.readBigUInt64LE());
    const bad = path.join(folder.path, 'fuzz.safetensors');
    const change = fc.record({
      place: fc.oneof(
        fc.integer({ min: 8, max: header - 1 }),
        fc.integer({ min: header, max: good.length - 1 }),
      ),
      value: fc.constantFrom(...Buffer.from('0123456789"{}[]:,-eE.ntf\\'), 0, 0x7f, 0x80, 255),
    });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const copy = Buffer.from(good);
        for (const { place, value } of changes) copy[place] = value;
        writeFileSync(bad, copy);
        try {
          const loaded = loadLearner(bad);
          loaded.recommend(loaded.users.id(0));
        } catch (error) {
          if (!(error instanceof DataError)) throw error;
        }
      }),
      { numRuns: 400 },
    );
    for (let n = 0; n < good.length; n += 37) {
      writeFileSync(bad, good.subarray(0, n));
      expect(() => loadLearner(bad), `cut off after ${n} bytes`).to.throw(DataError);
    }
  });
});
