import { Random } from '../../../lib/recital/compute/random.js';
import type { Batch, DataLoader, DataLoaders } from '../../../lib/recital/data/batches.js';
import { Vocabulary } from '../../../lib/recital/data/vocabulary.js';

/** Tracks of the paper's data. */
const ITEMS = 15676;
/** Tracks of a window. */
const LENGTH = 10;

/** Loaders of random windows that lie in memory, for the next-song network. */
export function windows(
  bs: number,
  steps: number,
): DataLoaders & { classes: { item: Vocabulary } } {
  const random = new Random(42);
  const batches = Array.from({ length: steps }, (): Batch => {
    const draw = (n: number): Int32Array => Int32Array.from({ length: n }, () => random.int(ITEMS));
    return {
      size: bs,
      inputs: [draw(bs * LENGTH), new Int32Array(bs).fill(LENGTH)],
      targets: Float32Array.from(draw(bs)),
      rows: new Int32Array(bs),
    };
  });
  const loader = (of: Batch[]): DataLoader => ({
    n: of.length * bs,
    bs,
    length: of.length,
    batches: () => of,
    inOrder: () => loader(of),
  });
  const item = Vocabulary.fromValues(Array.from({ length: ITEMS }, (_, i) => `t${i}`));
  return {
    train: loader(batches),
    valid: loader([]),
    classes: { item },
    showBatch() {},
    decode: () => ({}),
  };
}
