import {
  openSafetensors,
  type SafetensorsFile,
  type TensorSource,
} from '../data/files/safetensors.js';
import { readTracks, readVocabulary } from '../data/files/tensors.js';
import { isFile } from '../data/files/text-file.js';
import { Plays } from '../data/plays.js';
import { Sessions } from '../data/sessions.js';
import type { Tracks } from '../data/tracks.js';
import { Vocabulary } from '../data/vocabulary.js';
import { ArgumentError, DataError } from '../errors.js';
import { WithSeen } from '../evaluation/held-out.js';
import type { Fields } from '../fields.js';
import { Hybrid, WeightedSum } from '../hybrid/hybrid.js';
import type { Learner, LearnerOptions } from '../learner/learner.js';
import { EXTENSION, fileConfig } from '../learner/model-file.js';
import type { Loss } from '../nn/losses.js';
import { checkOptions } from '../options.js';
import { Popularity } from '../recommend/baselines/popularity.js';
import { RandomRecommender } from '../recommend/baselines/random.js';
import { ContentRecommender } from '../recommend/content/content.js';
import { ALS } from '../recommend/factors/als.js';
import { FactorRecommender } from '../recommend/factors/factors.js';
import { PcaRecommender } from '../recommend/factors/pca.js';
import { Interactions } from '../recommend/interactions.js';
import { CollabLearner } from '../recommend/learners/collab.js';
import { CollabNNLearner } from '../recommend/learners/collab-nn.js';
import { LearnerRecommender } from '../recommend/learners/learner-recommender.js';
import { LightGCNLearner } from '../recommend/learners/light-gcn.js';
import { EASE } from '../recommend/neighbours/ease.js';
import { ItemKNN, UserKNN } from '../recommend/neighbours/knn.js';
import { RP3beta } from '../recommend/neighbours/rp3beta.js';
import type { Recommender } from '../recommend/recommender.js';
import {
  type RecommenderData,
  registeredKinds,
  type SavedForm,
  sayWithoutSeen,
  sectionPrefix,
} from '../recommend/saved-form.js';
import { LSTMLearner, LSTMRecommender } from '../sequential/lstm.js';
import { Markov, NextItemKNN, SequentialRules } from '../sequential/markov-and-rules.js';
import { NextItemPopularity } from '../sequential/sequence-recommender.js';
import { SessionKNN, STAN } from '../sequential/session-knn.js';

/** The library's recommenders that a file can hold, by the name that it calls them. */
const RECOMMENDERS = formsOf([
  ALS,
  ContentRecommender,
  EASE,
  FactorRecommender,
  Hybrid,
  ItemKNN,
  LearnerRecommender,
  LSTMRecommender,
  Markov,
  NextItemKNN,
  NextItemPopularity,
  PcaRecommender,
  Popularity,
  RandomRecommender,
  RP3beta,
  SequentialRules,
  SessionKNN,
  STAN,
  UserKNN,
  WeightedSum,
  WithSeen,
]);

/** Its learners, by the name of their model. */
const LEARNERS = formsOf([CollabLearner, CollabNNLearner, LightGCNLearner, LSTMLearner]);

function formsOf(
  classes: readonly { readonly saved: { readonly name: string } }[],
): ReadonlyMap<string, SavedForm> {
  return new Map(classes.map(({ saved }) => [saved.name, saved as SavedForm]));
}

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
  checkPath(file, 'loadRecommender', 'export');
  checkOptions(options, ['type', 'lossFunc'], 'loadRecommender');
  const { type, lossFunc } = options;
  return openModel(file, (st) => {
    const config = fileConfig(st, ['recommender', 'learner']);
    const recommender = config.has('recommender')
      ? makeRecommender(
          config.object('recommender'),
          st.within('model.'),
          sections(st, config, { lossFunc }),
        )
      : makeLearner(config, st, { lossFunc });
    const { name } = recommender.constructor;
    if (type && !(recommender instanceof type))
      throw new DataError(`it holds a ${name}, not a ${type.name}.`);
    sayWithoutSeen(recommender, file);
    return recommender;
  });
}

/**
 * Options of {@link loadLearner}; those of a Learner are for what a file cannot hold: metrics,
 * callbacks, a loss of one's own.
 */
export type LoadLearnerOptions = LearnerOptions;

/** A class of learners. */
export type LearnerClass<L extends Learner> = abstract new (...args: never[]) => L;

/**
 * A learner from the file that `learn.export` wrote, without the data that it was trained on: it
 * recommends, finds similar tracks, and predicts rows given to `learn.dls.testDl`, as the exported
 * one did. To train on, make loaders and a learner of the data, and
 * `learn.load(file, { withOpt: false })`.
 *
 * Nothing in the file is executed, and everything is checked before it is used, so that a file may
 * come from anybody.
 * @param file its path; `.safetensors` is added if there is no such file without
 * @param options those of a Learner, and `type`: the learner's class, default CollabLearner. For a
 *   network: CollabNNLearner; for sequences: LSTMLearner. A class that others extend, such as
 *   Learner, takes all of them
 * @throws DataError for a file that is missing, cut off, or not of this kind
 * @example
 * const file = learn.export('listeners');
 * loadLearner(file).recommend(user, { n: 10 });
 */
export function loadLearner<L extends Learner>(
  file: string,
  options: LoadLearnerOptions & {
    /** The learner's class; default CollabLearner. */
    type: LearnerClass<L>;
  },
): L;
export function loadLearner(
  file: string,
  options?: LoadLearnerOptions & { type?: undefined },
): CollabLearner;
export function loadLearner(
  file: string,
  options: LoadLearnerOptions & { type?: LearnerClass<Learner> } = {},
): Learner {
  checkPath(file, 'loadLearner', 'learn.export');
  const { type = CollabLearner, ...rest } = options;
  return openModel(file, (st) => {
    const learn = makeLearner(fileConfig(st, ['learner']), st, rest);
    const { name } = learn.constructor;
    if (!(learn instanceof type))
      throw new DataError(
        `it holds a ${name}, not a ${type.name}: loadLearner(file, { type: ${name} }).`,
      );
    sayWithoutSeen(learn, file);
    return learn;
  });
}

function checkPath(file: unknown, of: string, writer: string): asserts file is string {
  if (typeof file !== 'string')
    throw new ArgumentError(
      `${of} needs the path of a file that ${writer} wrote, got ${typeof file}.`,
    );
}

function openModel<T>(file: string, read: (st: SafetensorsFile) => T): T {
  return openSafetensors(file.endsWith(EXTENSION) || isFile(file) ? file : file + EXTENSION, read);
}

/**
 * Makes a recommender, and its parts, of its description. `data`: that of a section, by its number.
 */
function makeRecommender(
  config: Fields,
  tensors: TensorSource,
  data: (section: number) => RecommenderData,
  section = 0,
): Recommender {
  const name = config.text('name');
  const own = config.has('data') ? config.count('data') : section;
  if (name === 'learner') return makeLearner(config.object('learner'), tensors, data(own).options);
  const form = registeredKinds.get(name) ?? RECOMMENDERS.get(name);
  if (!form)
    return config.wrong(
      'name',
      `${[...RECOMMENDERS.keys(), ...registeredKinds.keys()].join(' or ')} (registerRecommenderKind makes those of one's own known)`,
    );
  const parts = config.has('parts') ? config.objects('parts') : [];
  const made = parts.map((part, i) => makeRecommender(part, tensors.within(`${i}.`), data, own));
  return form.make(data(own), config, tensors, made);
}

/** Makes a learner of its description, by the name of its model. */
function makeLearner(
  config: Fields,
  tensors: TensorSource,
  options: LearnerOptions,
): Recommender & Learner {
  const model = config.object('model').text('name');
  const form = LEARNERS.get(model);
  if (!form)
    throw new DataError(`its model is "${model}"; known are ${[...LEARNERS.keys()].join(', ')}.`);
  const made: unknown = form.make(
    readSection(tensors, undefined, { options }),
    config,
    tensors,
    [],
  );
  return made as Recommender & Learner;
}

/** The data of each section of a file; read when they are asked for, once. */
function sections(
  st: TensorSource,
  config: Fields,
  options: LearnerOptions,
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
      options,
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
    options,
    catalogue: catalogueOf,
  }: { options: LearnerOptions; catalogue?: () => Tracks | undefined },
): RecommenderData {
  const lacking = (what: string) => (): never => {
    throw new DataError(`it holds no ${what}, which a recommender in it needs.`);
  };
  const parts: { plays: () => Plays; seen: () => Interactions; histories: () => Sessions } = {
    plays: lacking('plays'),
    seen: lacking('plays'),
    histories: lacking('histories'),
  };
  const data = {
    options,
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
  const catalogue = catalogueOf?.();
  if (st.has('histories.indptr')) {
    const [indptr, item] = ['indptr', 'item'].map((name) => st.read(`histories.${name}`, 'I32'));
    const histories = new Sessions(tracks, indptr, item, { users, catalogue });
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
