import { inSlices } from '../compute/interrupt.js';
import { rowOfEach } from '../data/csr.js';
import { withEnding } from '../data/files/open-file.js';
import {
  openSafetensors,
  type SafetensorsFile,
  type SafetensorsSource,
  safetensorsInSteps,
  sourceName,
  type TensorSource,
} from '../data/files/safetensors.js';
import { readTracks, readVocabulary } from '../data/files/tensors.js';
import { Plays } from '../data/plays.js';
import { Sessions } from '../data/sessions.js';
import type { Tracks } from '../data/tracks.js';
import { Vocabulary } from '../data/vocabulary.js';
import { DataError } from '../errors.js';
import { WithSeen } from '../evaluation/held-out.js';
import type { Fields } from '../fields.js';
import { Hybrid, WeightedSum } from '../hybrid/hybrid.js';
import type { Learner, LearnerOptions } from '../learner/learner.js';
import { EXTENSION, fileConfig, readAhead } from '../learner/model-file.js';
import type { Loss } from '../nn/losses.js';
import { checkArgument, checkOptions } from '../options.js';
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
 * file is executed, and a damaged file is refused. A warning says if the file holds no users'
 * plays, see {@link ExportOptions}.
 * @param file its path; `.safetensors` is added if there is no such file without. Or its bytes, as
 *   `await (await fetch(url)).arrayBuffer()` gives them
 * @throws DataError for a file that is missing, cut off, damaged, or not of this kind
 * @example
 * new ItemKNN(plays).export('neighbours');
 * loadRecommender('neighbours').recommend(user, { n: 10 });
 */
export function loadRecommender<R extends Recommender>(
  file: string | Uint8Array | ArrayBuffer,
  options: LoadRecommenderOptions<R> & { type: abstract new (...args: never[]) => R },
): R;
export function loadRecommender(
  file: string | Uint8Array | ArrayBuffer,
  options?: LoadRecommenderOptions,
): Recommender;
export function loadRecommender(
  file: SafetensorsSource,
  options: LoadRecommenderOptions = {},
): Recommender {
  checkArgument(isSource(file), file, 'loadRecommender', PATH);
  checkOptions(options, ['type', 'lossFunc'], 'loadRecommender');
  return openModel(file, (st) => recommenderIn(st, file, options));
}

/**
 * {@link loadRecommender} beside other work, such as requests of a server: the file is read and
 * checked in slices of some 10 ms, between which the event loop has its turns. The same
 * recommender, and the same errors, come of it. Two kinds of work are left in one piece at its end:
 * a learner's model is made, and what a file does not hold is counted from the plays
 * (neighbours of {@link ItemKNN}, say); factors, as of ALS, need neither.
 * @param file its path, or its bytes, as for {@link loadRecommender}
 * @throws DataError for a file that is missing, cut off, damaged, or not of this kind
 * @example
 * const file = new Popularity(plays).export('popular');
 * (await loadRecommenderAsync(file)).recommend(user, { n: 10 });
 */
export function loadRecommenderAsync<R extends Recommender>(
  file: string | Uint8Array | ArrayBuffer,
  options: LoadRecommenderOptions<R> & { type: abstract new (...args: never[]) => R },
): Promise<R>;
export function loadRecommenderAsync(
  file: string | Uint8Array | ArrayBuffer,
  options?: LoadRecommenderOptions,
): Promise<Recommender>;
export async function loadRecommenderAsync(
  file: string | Uint8Array | ArrayBuffer,
  options: LoadRecommenderOptions = {},
): Promise<Recommender> {
  checkArgument(isSource(file), file, 'loadRecommenderAsync', PATH);
  checkOptions(options, ['type', 'lossFunc'], 'loadRecommenderAsync');
  const work = safetensorsInSteps(sourceOf(file), function* (st) {
    const findings = yield* readAhead(st);
    return findings.use(() => recommenderIn(st, file, options));
  });
  return inSlices(work);
}

function recommenderIn(
  st: SafetensorsFile,
  file: SafetensorsSource,
  { type, lossFunc }: LoadRecommenderOptions,
): Recommender {
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
  sayWithoutSeen(recommender, sourceName(file));
  return recommender;
}

/** Options of a Learner, for what a file cannot hold: metrics, callbacks, a loss of one's own. */
export type LoadLearnerOptions = LearnerOptions;

/** A class of learners. */
export type LearnerClass<L extends Learner> = abstract new (...args: never[]) => L;

/**
 * A learner from the file that `learn.export` wrote, without the data that it was trained on: it
 * recommends, finds similar tracks, and predicts rows given to `learn.dls.testDl`, as the exported
 * one did. To train on, make loaders and a learner of the data, and
 * `learn.load(file, { withOpt: false })`. Files are checked as by {@link loadRecommender}.
 * @param file its path; `.safetensors` is added if there is no such file without. Or its bytes, as
 *   `await (await fetch(url)).arrayBuffer()` gives them
 * @param options those of a Learner, and `type`: the learner's class, default CollabLearner. For a
 *   network: CollabNNLearner; for sequences: LSTMLearner. A class that others extend, such as
 *   Learner, takes all of them
 * @throws DataError for a file that is missing, cut off, or not of this kind
 * @example
 * const file = learn.export('model');
 * loadLearner(file).recommend(user, { n: 10 });
 */
export function loadLearner<L extends Learner>(
  file: string | Uint8Array | ArrayBuffer,
  options: LoadLearnerOptions & { type: LearnerClass<L> },
): L;
export function loadLearner(
  file: string | Uint8Array | ArrayBuffer,
  options?: LoadLearnerOptions & { type?: undefined },
): CollabLearner;
export function loadLearner(
  file: string | Uint8Array | ArrayBuffer,
  options: LoadLearnerOptions & { type?: LearnerClass<Learner> } = {},
): Learner {
  checkArgument(isSource(file), file, 'loadLearner', PATH);
  const { type = CollabLearner, ...rest } = options;
  return openModel(file, (st) => {
    const learn = makeLearner(fileConfig(st, ['learner']), st, rest);
    const { name } = learn.constructor;
    if (!(learn instanceof type))
      throw new DataError(
        `it holds a ${name}, not a ${type.name}: loadLearner(file, { type: ${name} }).`,
      );
    sayWithoutSeen(learn, sourceName(file));
    return learn;
  });
}

const PATH = 'the path of a file that export wrote, or its bytes (an ArrayBuffer or a Uint8Array)';

const isSource = (file: unknown): boolean =>
  typeof file === 'string' || file instanceof Uint8Array || file instanceof ArrayBuffer;

function openModel<T>(file: SafetensorsSource, read: (st: SafetensorsFile) => T): T {
  return openSafetensors(sourceOf(file), read);
}

const sourceOf = (file: SafetensorsSource): SafetensorsSource =>
  typeof file === 'string' ? withEnding(file, EXTENSION) : file;

/** Makes a recommender, and its parts, of its description and the data of a section. */
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
  if (!form) {
    const known = [...RECOMMENDERS.keys(), ...registeredKinds.keys()].join(' or ');
    return config.wrong('name', `${known} (registerRecommenderKind makes one's own known)`);
  }
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
  return form.make(dataOf(options), config, tensors, []) as Recommender & Learner;
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
    const own = described[section];
    if (!own && section > 0)
      throw new DataError(
        `a recommender in it belongs to data number ${section}; there are ${described.length}, counted from 0.`,
      );
    if (!own) return dataOf(options); // a sum of learners has none of its own
    made[section] ??= dataOf(
      options,
      readSection(st.within(sectionPrefix(section)), own, () =>
        catalogue(own.has('catalogue') ? own.count('catalogue') : section),
      ),
    );
    return made[section];
  };
}

/** Training data of which only some are there: to ask for others is a DataError. */
function dataOf(
  options: LearnerOptions,
  { plays, seen, histories }: Partial<RecommenderData> = {},
): RecommenderData {
  const have = <T>(part: T | undefined, what: string): T => {
    if (part) return part;
    throw new DataError(`it holds no ${what}, which a recommender in it needs.`);
  };
  return {
    options,
    get plays() {
      return have(plays, 'plays');
    },
    get seen() {
      return have(seen, 'plays');
    },
    get histories() {
      return have(histories, 'histories');
    },
  };
}

function readSection(
  st: TensorSource,
  config: Fields,
  catalogueOf: () => Tracks | undefined,
): Partial<RecommenderData> {
  const kinds = config.object('kinds');
  const vocabulary = (name: string): Vocabulary =>
    readVocabulary(st, name, { na: false, kind: kinds.text(name) });
  const own = kinds.has('users') ? vocabulary('users') : undefined;
  const tracks = vocabulary('tracks');
  const catalogue = catalogueOf();
  if (st.has('histories.indptr')) {
    const [indptr, item] = ['indptr', 'item'].map((name) => st.read(`histories.${name}`, 'I32'));
    return { histories: new Sessions(tracks, indptr, item, { users: own, catalogue }) };
  }
  const users = own ?? Vocabulary.inOrder([], { kind: 'user' });
  const ids = { users, tracks };
  if (config.has('meanLog')) {
    const [user, track, playcount] = [new Int32Array(0), new Int32Array(0), new Float32Array(0)];
    const plays = new Plays({ ...ids, user, track, playcount, catalogue });
    const seen = Interactions.ofTotals(plays, {
      usersPerTrack: st.read('totals.listeners', 'I32', [tracks.length]),
      plays: st.read('totals.plays', 'F64', [tracks.length]),
      meanLog: config.number('meanLog'),
    });
    return { plays, seen };
  }
  const [indptr, track] = ['indptr', 'indices'].map((name) => st.read(`seen.${name}`, 'I32'));
  const playcount = st.read('seen.playcount', 'F32');
  const seen = Interactions.fromCsr({ ...ids, indptr, indices: track, playcount });
  const plays = new Plays({ ...ids, user: rowOfEach(indptr), track, playcount, catalogue });
  return { plays, seen };
}
