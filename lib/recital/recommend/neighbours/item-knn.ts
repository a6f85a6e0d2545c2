import type { Csr, InteractionValue } from '../../data/csr.js';
import type { Fields } from '../../data/files/fields.js';
import { csrTensors, readSimilarity } from '../../data/files/tensors.js';

import type { Plays } from '../../data/plays.js';
import { ArgumentError } from '../../errors.js';
import { checkNumber, checkOptions } from '../../options.js';
import type { SavedForm } from '../export.js';
import { checkN } from '../lookup.js';
import { readValue } from '../play-values.js';
import { ItemItemRecommender } from './item-item.js';
import { RowWeighting, rowLengths, similarity, type Weighting } from './row-weighting.js';
import { topProducts } from './top-products.js';

/** Options of {@link ItemKNN} and {@link UserKNN}. */
export interface KNNOptions {
  /** Neighbours that count, the nearest ones; default 100. */
  k?: number;
  /**
   * Added to the denominator of the cosine, so that those who share little are not thought alike by
   * chance; default 0. Not for 'bm25', which has none.
   */
  shrink?: number;
  /** How rows are weighed before they are compared, see {@link RowWeighting}; default 'none'. */
  weighting?: Weighting;
  /**
   * What a play is worth: 1 ('binary', default), ln(1 + playcount) ('log'), or the playcount
   * ('count', as in the `implicit` library).
   */
  value?: InteractionValue;
}

/** The options, checked, with their defaults. */
export function knnOptions(options: KNNOptions, of: string): Required<KNNOptions> {
  checkOptions(options, ['k', 'shrink', 'weighting', 'value'], of);
  const { k = 100, shrink = 0, weighting = 'none', value = 'binary' } = options;
  checkN(k, 'k');
  checkNumber(shrink, shrink >= 0 && shrink < Infinity, 'shrink must be a number from 0 on');
  if (shrink > 0 && weighting === 'bm25')
    throw new ArgumentError(
      "shrink is for cosines; with weighting 'bm25' there is no denominator to add it to.",
    );
  return { k, shrink, weighting, value };
}

/**
 * Item-kNN: of each track the k tracks with the most similar listeners, sim(a, b) = a·b / (|a|·|b|
 * + shrink) for the columns a, b of the users × tracks matrix; the score of a track is Σ value·sim
 * over the tracks of the user. With `value: 'count'` these are CosineRecommender, TFIDFRecommender
 * and BM25Recommender of the `implicit` library, but for the track itself, which is no neighbour
 * here and takes one of the k places there.
 *
 * It is counted at once, when it is made or loaded: of 10 million plays that takes many seconds,
 * during which nothing else goes on. A server does it before it listens, or in a worker thread; a
 * file that was exported with `{ seen: false }` holds the similarities, and counts nothing.
 * @example new ItemKNN(plays, { k: 50, weighting: 'tfidf' }).recommend(user)
 */
export class ItemKNN extends ItemItemRecommender {
  readonly name: string = 'ItemKNN';
  /** All options. */
  readonly options: Readonly<Required<KNNOptions>>;

  /**
   * @param plays the training plays
   * @param learnt the similarities, if they are known already: those of a file without listening
   *   histories
   */
  constructor(plays: Plays, options: KNNOptions = {}, learnt?: Csr) {
    const all = knnOptions(options, 'ItemKNN');
    super(plays, {
      value: all.value,
      learnt,
      similarity: (values) => {
        const byTrack = values.transpose();
        const weighted = new RowWeighting(all.weighting, byTrack).apply(byTrack);
        const lengths = rowLengths(weighted);
        return topProducts(weighted, weighted.transpose(), {
          k: all.k,
          score: (product, a, b) => similarity(product, lengths[a] * lengths[b], all),
        });
      },
    });
    this.options = all;
  }

  /** How a file describes it, and how it is made again. */
  static readonly saved: SavedForm<ItemKNN> = {
    name: 'ItemKNN',
    withoutSeen: 'tracks',
    describe: ({ options, similarity }, { seen }) => ({
      config: { ...options },
      ...(!seen && { tensors: new Map(csrTensors('similarity', similarity)) }),
    }),
    make: ({ plays }, config, tensors) =>
      new ItemKNN(plays, readKNN(config), readSimilarity(tensors, plays.tracks.length)),
  };
}

/** The options from a description in a file. */
export function readKNN(config: Fields): KNNOptions {
  return {
    k: config.count('k'),
    shrink: config.number('shrink'),
    weighting: config.text('weighting') as Weighting,
    value: readValue(config),
  };
}
