import type { Tensor, TensorSource } from '../data/files/safetensors.js';
import { tracksTensors, vocabularyTensors } from '../data/files/tensors.js';
import { display } from '../data/output.js';
import type { Plays } from '../data/plays.js';
import type { Sessions } from '../data/sessions.js';
import type { Vocabulary } from '../data/vocabulary.js';
import { ArgumentError } from '../errors.js';
import type { Fields, Json } from '../fields.js';
import type { LearnerOptions } from '../learner/learner.js';
import { EXTENSION, writeModelFile } from '../learner/model-file.js';
import { checkArgument, checkFlag, given } from '../options.js';
import type { Interactions } from './interactions.js';
import type { Recommender } from './recommender.js';

const EXPORT = {
  /**
   * False: who has played what is left out of the file, for privacy and size; how many play each
   * track stays. Default true: the file holds all listening histories of training. What is loaded
   * from a file without them answers as far as what was learnt goes: see
   * {@link Recommender.export}.
   */
  seen: true,
};

/** Options of `export`. */
export type ExportOptions = Partial<typeof EXPORT>;

/** What a file says of a recommender beside the plays that it was trained on. */
export interface RecommenderDescription {
  /** Options and numbers, as JSON; `name`, `data` and `parts` are taken. */
  readonly config: { readonly [name: string]: Json | undefined };
  /** Arrays, by name. */
  readonly tensors?: ReadonlyMap<string, Tensor>;
  /** Recommenders that it is made of. */
  readonly parts?: readonly Recommender[];
}

/** The training data in a file. To ask for what the file does not hold is a DataError. */
export interface RecommenderData {
  /** The plays, a row for each user and track. */
  readonly plays: Plays;
  /** The same as `Interactions`, with the users and tracks that have no plays. */
  readonly seen: Interactions;
  /** What was played in order, of forms with `data: 'histories'`. */
  readonly histories: Sessions;
  /** Options for a learner in the file: what a file cannot hold, such as a loss of one's own. */
  readonly options: LearnerOptions;
}

/** How a class of recommenders is written to a file and made again: its static `saved`. */
export interface SavedForm<R extends Recommender = Recommender> {
  /** The name by which a file calls the class. */
  readonly name: string;
  /**
   * What `make` needs of training: who has played what (`'plays'`, default), what was played in
   * order (`'histories'`), or nothing (`'none'`).
   */
  readonly data?: 'plays' | 'histories' | 'none';
  /**
   * What it can do without listening histories: `'users'`, recommend to users by id, as it has
   * learnt something of each; `'tracks'`, recommend by `foldIn` alone. Default: nothing.
   */
  readonly withoutSeen?: 'users' | 'tracks';
  /**
   * What `make` needs beside the training data. `options.seen` is false where listening histories
   * are left out.
   */
  describe(recommender: R, options: Required<ExportOptions>): RecommenderDescription;
  /** Makes the recommender again. Nothing in a file is executed; `config` checks what it reads. */
  make(
    data: RecommenderData,
    config: Fields,
    tensors: TensorSource,
    parts: readonly Recommender[],
  ): R;
}

/**
 * How a recommender of one's own is written to a file and made again.
 * @example
 * class Newest extends Recommender {
 *   readonly name: string = 'Newest';
 *   scores(users: Int32Array, out: Float32Array): void { for (let i = 0; i < out.length; i++) out[i] = i % this.tracks.length; }
 * }
 * const kind: RecommenderKind<Newest> = {
 *   name: 'Newest',
 *   type: Newest,
 *   describe: () => ({ config: {} }),
 *   make: ({ seen, plays }) => new Newest(seen, { catalogue: plays.catalogue }),
 * };
 */
export interface RecommenderKind<R extends Recommender = Recommender> extends SavedForm<R> {
  /** The class; classes that extend it need a kind of their own. */
  readonly type: abstract new (
    ...args: never[]
  ) => R;
}

const registered = new Map<string, RecommenderKind>();

/**
 * Makes a class of one's own known to `export` and {@link loadRecommender}. Those of the library
 * are known.
 * @example
 * class Again extends Popularity {}
 * registerRecommenderKind<Again>({ name: 'Again', type: Again, describe: () => ({ config: {} }), make: ({ plays }) => new Again(plays) });
 */
export function registerRecommenderKind<R extends Recommender>(kind: RecommenderKind<R>): void {
  checkArgument(
    typeof kind === 'object' && kind !== null && typeof kind.name === 'string',
    kind,
    'registerRecommenderKind',
    'an object with a name',
  );
  registered.set(kind.name, kind as unknown as RecommenderKind);
}

/** The kinds that were registered, by name. */
export const registeredKinds: ReadonlyMap<string, SavedForm> = registered;

/** How a recommender of this class is saved; what a class that it extends says does not count. */
export function formOf(recommender: Recommender): SavedForm {
  const form = knownForm(recommender);
  if (form) return form;
  throw new ArgumentError(
    `${recommender.constructor.name} is not known to export: a file holds no code. registerRecommenderKind({ name, type, describe, make }) says how it is described and made again.`,
  );
}

function knownForm(recommender: Recommender): SavedForm | undefined {
  const type = recommender.constructor as typeof Recommender & { readonly saved: SavedForm };
  const own = [...registered.values()].find((kind) => kind.type === type);
  return own ?? (Object.hasOwn(type, 'saved') ? type.saved : undefined);
}

/** The error of a recommender that cannot be exported without listening histories. */
export function needsHistories({ name }: Recommender): ArgumentError {
  return new ArgumentError(
    `${name} works on the listening histories themselves: without them nothing is left. Leave out { seen: false }.`,
  );
}

/** Arrays as tensors of one dimension, `PREFIX.NAME`. */
export function arrayTensors(
  prefix: string,
  arrays: Readonly<Record<string, Tensor['data']>>,
): [string, Tensor][] {
  return Object.entries(arrays).map(([name, data]) => [
    `${prefix}.${name}`,
    { shape: [data.length], data },
  ]);
}

/**
 * What goes into a file: the tensors of recommenders, and the data that they were trained on, in
 * sections; recommenders with the same data share one.
 */
class Contents {
  readonly tensors = new Map<string, Tensor>();
  readonly sections: Json[] = [];
  private readonly data: { of: Recommender; how: string }[] = [];

  constructor(private readonly options: Required<ExportOptions>) {}

  /**
   * The description of a recommender and its parts, whose tensors have names that begin with
   * `prefix`.
   */
  describe(recommender: Recommender, prefix: string): Json {
    const { learn } = recommender as { learn?: Recommender };
    if (learn && !knownForm(recommender) && knownForm(learn)) return this.describe(learn, prefix); // made again as its learner
    const kind = formOf(recommender);
    const { config, tensors, parts } = kind.describe(recommender, this.options);
    if (!this.options.seen && kind.data !== 'none' && !kind.withoutSeen)
      throw needsHistories(recommender);
    for (const [name, tensor] of tensors ?? []) this.tensors.set(prefix + name, tensor);
    return {
      name: kind.name,
      ...(kind.data !== 'none' && { data: this.section(recommender, kind) }),
      ...config,
      ...(parts && { parts: parts.map((part, i) => this.describe(part, `${prefix}${i}.`)) }),
    };
  }

  /** The number of the section with the data of a recommender, which is made if it is new. */
  private section(recommender: Recommender, { data, withoutSeen }: SavedForm): number {
    const how = [data, !this.options.seen && withoutSeen].join();
    const known = this.data.findIndex(
      (other) => other.how === how && sameData(recommender, other.of),
    );
    if (known >= 0) return known;
    const number = this.data.push({ of: recommender, how }) - 1;
    const { catalogue, seen } = recommender;
    const shared = this.data.findIndex(({ of }) => of.catalogue === catalogue);
    const histories = data === 'histories' ? historiesOf(recommender) : undefined;
    const hidden = !histories && (!this.options.seen || seen.totals !== undefined);
    const users =
      !this.options.seen && withoutSeen !== 'users' ? undefined : (histories ?? seen).users;
    const tensors = [
      ...(catalogue && shared === number ? tracksTensors(catalogue) : []),
      ...(users ? vocabularyTensors('users', users) : []),
      ...vocabularyTensors('tracks', seen.tracks),
      ...(histories
        ? arrayTensors('histories', { indptr: histories.indptr, item: histories.item })
        : hidden
          ? arrayTensors('totals', { listeners: seen.usersPerTrack(), plays: seen.plays() })
          : arrayTensors('seen', {
              indptr: seen.indptr,
              indices: seen.indices,
              playcount: seen.playcount,
            })),
    ];
    for (const [name, tensor] of tensors) this.tensors.set(sectionPrefix(number) + name, tensor);
    this.sections.push({
      kinds: { ...(users && { users: users.kind }), tracks: seen.tracks.kind },
      ...(hidden && { meanLog: seen.meanLog }),
      ...(catalogue && shared !== number && { catalogue: shared }),
    });
    return number;
  }
}

/** How the names of a section's tensors begin; the first section has no prefix. */
export function sectionPrefix(section: number): string {
  return section === 0 ? '' : `data${section}.`;
}

/** What a recommender of the next track was trained on. */
function historiesOf(recommender: Recommender): Sessions | undefined {
  return (recommender as { histories?: Sessions }).histories;
}

function sameData(a: Recommender, b: Recommender): boolean {
  if (a.catalogue !== b.catalogue) return false;
  const [own, other] = [historiesOf(a), historiesOf(b)];
  if (own && other)
    return (
      own === other ||
      (sameIds(own.items, other.items) &&
        sameIds(own.users, other.users) &&
        same(own.indptr, other.indptr) &&
        same(own.item, other.item))
    );
  const [s, t] = [a.seen, b.seen];
  if (s === t) return true;
  if (s.totals || t.totals) return false;
  return (
    sameIds(s.users, t.users) &&
    sameIds(s.tracks, t.tracks) &&
    same(s.indptr, t.indptr) &&
    same(s.indices, t.indices) &&
    same(s.playcount, t.playcount)
  );
}

function sameIds(a: Vocabulary | undefined, b: Vocabulary | undefined): boolean {
  if (a === b || !a || !b) return a === b;
  return a.kind === b.kind && same(a.offsets, b.offsets) && same(a.bytes, b.bytes);
}

function same(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** See {@link Recommender.export}. */
export function exportRecommender(
  recommender: Recommender,
  file: string,
  options: ExportOptions = {},
): string {
  if (typeof file !== 'string' || file === '')
    throw new ArgumentError(
      `export needs the path of a file, got ${file === '' ? 'an empty one' : typeof file}.`,
    );
  const contents = new Contents(exportOptions(options));
  const described = contents.describe(recommender, 'model.');
  const full = file.endsWith(EXTENSION) ? file : file + EXTENSION;
  writeModelFile(full, 'recommender', {
    config: { recommender: described, data: contents.sections },
    tensors: contents.tensors,
  });
  return full;
}

/** Warns of what a recommender from a file without listening histories cannot do. */
export function sayWithoutSeen({ seen, users }: Recommender, name: string): void {
  if (!seen.totals) return;
  const rest = users.length
    ? 'lists do not leave out what users have played'
    : 'it recommends by foldIn(history) only, to no user by id';
  display().warn(
    `${name} was exported without listening histories: ${rest}, and explain cannot go back to them.`,
  );
}

/** The options, checked, with their defaults. */
export function exportOptions(options: ExportOptions): Required<ExportOptions> {
  const all = given(EXPORT, options, 'export');
  checkFlag(all.seen, 'seen');
  return all;
}

/** A number for JSON, which has no infinite ones. */
export function finiteOrText(x: number): number | string {
  return x === Infinity ? 'Infinity' : x;
}

/** A number that {@link finiteOrText} wrote. */
export function readFiniteOrText(config: Fields, name: string): number {
  return config.isText(name) && config.text(name) === 'Infinity' ? Infinity : config.number(name);
}
