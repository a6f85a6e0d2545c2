import type { Fields } from '../data/files/fields.js';
import { openSafetensors, type TensorSource } from '../data/files/safetensors.js';
import { readTracks, readVocabulary } from '../data/files/tensors.js';
import { isFile } from '../data/files/text-file.js';
import { Plays } from '../data/plays.js';
import { Histories } from '../data/sequences.js';
import type { Tracks } from '../data/tracks.js';
import { Vocabulary } from '../data/vocabulary.js';
import { ArgumentError, DataError } from '../errors.js';
import { EXTENSION, fileConfig } from '../learner/model-file.js';
import type { Loss } from '../nn/loss.js';
import { checkOptions } from '../options.js';
import {
  makeRecommender,
  type RecommenderData,
  sayWithoutSeen,
  sectionPrefix,
} from '../recommend/export-recommender.js';
import { Interactions } from '../recommend/interactions.js';
import type { Recommender } from '../recommend/recommender.js';
import { readLearner } from './load-learner.js';
import '../recommend/factors/als.js';
import '../recommend/content/content.js';
import '../recommend/neighbours/ease.js';
import '../recommend/factors/factor-recommender.js';
import '../recommend/neighbours/friends.js';
import '../hybrid/hybrid.js';
import '../recommend/neighbours/item-knn.js';
import '../sequential/pairs.js';
import '../recommend/learners/learner-recommender.js';
import '../sequential/sequence-recommender.js';
import '../recommend/factors/pca-recommender.js';
import '../recommend/baselines/popularity.js';
import '../recommend/baselines/random-recommender.js';
import '../recommend/neighbours/rp3beta.js';
import '../sequential/session-knn.js';
import '../recommend/neighbours/user-knn.js';
import '../evaluation/with-seen.js';

/** Options of {@link loadRecommender}. */
export interface LoadRecommenderOptions<R extends Recommender = Recommender> {
  /** The class that is expected; default: any. */
  type?: abstract new (
    ...args: never[]
  ) => R;
  /** The loss of one's own that a learner in the file was trained with: a file holds no code. */
  lossFunc?: Loss;
}

/**
 * A recommender from the file that its `export` wrote, a learner's included: it gives the same
 * lists, without the training data. What is counted from plays is counted again. Nothing in the
 * file is executed, and everything is checked before it is used: a file that is damaged is refused.
 * A warning says if the file holds no listening histories, see {@link ExportOptions}.
 * @param file its path; `.safetensors` is added if there is no such file without
 * @throws DataError for a file that is missing, cut off, damaged, or not of this kind
 * @example
 * new ItemKNN(plays).export('neighbours');
 * loadRecommender('neighbours').recommend(user, { n: 10 });
 */
export function loadRecommender<R extends Recommender>(
  file: string,
  options: LoadRecommenderOptions<R> & { type: abstract new (...args: never[]) => R },
): R;
export function loadRecommender(file: string, options?: LoadRecommenderOptions): Recommender;
export function loadRecommender(file: string, options: LoadRecommenderOptions = {}): Recommender {
  if (typeof file !== 'string')
    throw new ArgumentError(
      `loadRecommender needs the path of a file that export wrote, got ${typeof file}.`,
    );
  checkOptions(options, ['type', 'lossFunc'], 'loadRecommender');
  const { type, lossFunc } = options;
  return openSafetensors(
    file.endsWith(EXTENSION) || isFile(file) ? file : file + EXTENSION,
    (st) => {
      const config = fileConfig(st, ['recommender', 'learner']);
      const recommender = config.has('recommender')
        ? makeRecommender(
            config.object('recommender'),
            st.within('model.'),
            sections(st, config, lossFunc),
          )
        : (readLearner(st, config, { lossFunc }) as unknown as Recommender);
      const { name } = recommender.constructor;
      if (type && !(recommender instanceof type))
        throw new DataError(`it holds a ${name}, not a ${type.name}.`);
      sayWithoutSeen(recommender, file);
      return recommender;
    },
  );
}

/** The data of each section of a file; read when they are asked for, once. */
function sections(
  st: TensorSource,
  config: Fields,
  lossFunc: Loss | undefined,
): (section: number) => RecommenderData {
  const described = config.has('data') ? config.objects('data') : [config]; // there was one once, described in the file's own fields
  const made: RecommenderData[] = [];
  const catalogues = new Map<number, Tracks | undefined>();
  const catalogue = (of: number): Tracks | undefined => {
    if (!catalogues.has(of)) catalogues.set(of, readTracks(st.within(sectionPrefix(of))));
    return catalogues.get(of);
  };
  return (section) => {
    if (section >= described.length && !(section === 0 && described.length === 0)) {
      throw new DataError(
        `a recommender in it belongs to data number ${section}; there are ${described.length}, counted from 0.`,
      );
    }
    made[section] ??= readSection(st.within(sectionPrefix(section)), described[section], {
      lossFunc,
      catalogue: () =>
        catalogue(
          described[section].has('catalogue') ? described[section].count('catalogue') : section,
        ),
    });
    return made[section];
  };
}

function readSection(
  st: TensorSource,
  config: Fields | undefined,
  {
    lossFunc,
    catalogue: catalogueOf,
  }: { lossFunc: Loss | undefined; catalogue: () => Tracks | undefined },
): RecommenderData {
  const lacking = (what: string) => (): never => {
    throw new DataError(`it holds no ${what}, which a recommender in it needs.`);
  };
  const parts: { plays: () => Plays; seen: () => Interactions; histories: () => Histories } = {
    plays: lacking('plays'),
    seen: lacking('plays'),
    histories: lacking('histories'),
  };
  const data = {
    lossFunc,
    get plays() {
      return parts.plays();
    },
    get seen() {
      return parts.seen();
    },
    get histories() {
      return parts.histories();
    },
  };
  if (!config) return data; // a sum of learners has none of its own
  const named = config.object('kinds');
  const users = named.has('users')
    ? readVocabulary(st, 'users', { na: false, kind: named.text('users') })
    : undefined;
  const tracks = readVocabulary(st, 'tracks', { na: false, kind: named.text('tracks') });
  const catalogue = catalogueOf();
  if (st.has('histories.indptr')) {
    const histories = Histories.from({
      items: tracks,
      users,
      indptr: st.read('histories.indptr', 'I32'),
      item: st.read('histories.item', 'I32'),
      catalogue,
    });
    parts.histories = () => histories;
    return data;
  }
  const ids = { users: users ?? Vocabulary.inOrder([], { kind: 'user' }), tracks };
  const none = {
    user: new Int32Array(0),
    track: new Int32Array(0),
    playcount: new Float32Array(0),
  };
  let plays: Plays;
  let seen: Interactions;
  if (config.has('meanLog')) {
    plays = new Plays({ ...ids, ...none, catalogue });
    seen = Interactions.ofTotals(plays, {
      listeners: st.read('totals.listeners', 'I32', [tracks.length]),
      plays: st.read('totals.plays', 'F64', [tracks.length]),
      meanLog: config.number('meanLog'),
    });
  } else {
    const rows = {
      indptr: st.read('seen.indptr', 'I32'),
      indices: st.read('seen.indices', 'I32'),
      playcount: st.read('seen.playcount', 'F32'),
    };
    seen = Interactions.fromCsr({ ...ids, ...rows });
    const user = new Int32Array(seen.length);
    for (let u = 0; u < ids.users.length; u++) user.fill(u, seen.indptr[u], seen.indptr[u + 1]);
    plays = new Plays({ ...ids, user, track: seen.indices, playcount: seen.playcount, catalogue });
  }
  parts.plays = () => plays;
  parts.seen = () => seen;
  return data;
}
