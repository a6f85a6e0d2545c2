import type { NegativeOptions } from '../../data/batches.js';
import type { CollabDataLoaders } from '../../data/collab.js';
import type { Fields, Json } from '../../data/files/fields.js';
import type { LearnerOptions } from '../../learner/learner.js';
import { checkArgument } from '../../options.js';
import type { CollabModel, CollabRecommender } from './collab-recommender.js';

/** A description, to be written as JSON. */
export type Config = { readonly [name: string]: Json | undefined };

/**
 * How a learner of collaborative filtering gets into a file and out again: what `learn.export` and
 * `loadLearner` need to know of its model. A file says the name only; nothing in it is ever
 * executed.
 */
export interface CollabKind<L extends CollabRecommender = CollabRecommender> {
  /** Name of the model, e.g. `EmbeddingDotBias`. */
  readonly name: string;
  /** The learner's class. */
  readonly type: abstract new (
    ...args: never[]
  ) => L;
  /** Whether it can do without the listening histories of training; default false. */
  readonly withoutSeen?: boolean;
  /** What `make` needs, and what else a learner without its data needs. */
  config(learn: L): Config;
  /**
   * How many weights such a model has: it is compared with what the file holds before memory is
   * taken for the model.
   * @param config as `config` made it, from a file: to be read with care
   */
  parameterCount(config: Fields, classes: CollabModel['classes']): number;
  /** A model of that shape; its weights are loaded afterwards. */
  make(config: Fields, classes: CollabModel['classes']): L['model'];
  /** A learner of that model. */
  learner(dls: CollabDataLoaders, model: L['model'], options: LearnerOptions, config: Fields): L;
}

const kinds = new Map<string, CollabKind>();

/**
 * Makes a kind of learner known to `learn.export` and `loadLearner`: for models of one's own. Those
 * of the library are known.
 * @param kind how it is described and made again
 * @example
 * class Mine extends CollabLearner {}
 * registerCollabKind<Mine>({
 *   name: 'Mine',
 *   type: Mine,
 *   config: ({ model }) => ({ nFactors: model.nFactors }),
 *   parameterCount: (config, { user, item }) => (user.length + item.length) * (config.count('nFactors') + 1),
 *   make: (config, classes) => new EmbeddingDotBias(config.count('nFactors'), classes),
 *   learner: (dls, model, options) => new Mine(dls, model, options),
 * });
 */
export function registerCollabKind<L extends CollabRecommender>(kind: CollabKind<L>): void {
  checkArgument(
    typeof kind === 'object' && kind !== null && typeof kind.name === 'string',
    kind,
    'registerCollabKind',
    'a kind of learner: an object with a name',
  );
  kinds.set(kind.name, kind as unknown as CollabKind);
}

/** Names of the known kinds. */
export function collabKindNames(): string[] {
  return [...kinds.keys()];
}

/** The kind of this name, if it is known. */
export function collabKind(name: string): CollabKind | undefined {
  return kinds.get(name);
}

/** The kind of a learner: that of its very class, not of one that it extends. */
export function collabKindOf(learn: CollabRecommender): CollabKind | undefined {
  return [...kinds.values()].find((kind) => learn.constructor === kind.type);
}

/** The sigmoid range in a description, if it has one. */
export function readRange(config: Fields): readonly [number, number] | undefined {
  if (!config.has('yRange')) return undefined;
  const [low, high] = config.numbers('yRange', 2);
  return [low, high];
}

/** How negatives are drawn, from a description. */
export function readNegatives(config: Fields): NegativeOptions {
  const options: NegativeOptions = {};
  if (config.has('n')) options.n = config.count('n') || config.wrong('n', '1 or more');
  if (config.has('sampling')) {
    const sampling = config.text('sampling');
    if (sampling !== 'uniform' && sampling !== 'popularity')
      return config.wrong('sampling', "'uniform' or 'popularity'");
    options.sampling = sampling;
  }
  if (config.has('power')) options.power = config.number('power');
  return options;
}
