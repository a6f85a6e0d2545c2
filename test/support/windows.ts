import { Random } from '../../lib/recital/compute/random.js';
import type { Batch, DataLoader, DataLoaders } from '../../lib/recital/data/batches.js';
import { Vocabulary } from '../../lib/recital/data/vocabulary.js';

/** Sequences of items, each with the item that comes next. */
export interface Windows {
  readonly items: Int32Array;
  readonly lengths: Int32Array;
  readonly next: Int32Array;
  readonly room: number;
}

/** A vocabulary of n items. */
export function itemClasses(n: number): { item: Vocabulary } {
  return {
    item: Vocabulary.fromValues(
      Array.from({ length: n }, (_, i) => `t${String(i).padStart(5, '0')}`),
    ),
  };
}

/**
 * Walks of a Markov chain: from each item to one of three others, with chances .7, .2, .1.
 * `shuffled`: the same items in random order. A window is up to `room` items, of a random length,
 * and the one after them.
 */
export function chainWindows({
  items = 30,
  n = 2000,
  room = 6,
  seed = 1,
  shuffled = false,
} = {}): Windows {
  const random = new Random(seed);
  const following = Array.from({ length: items }, () => random.permutation(items).slice(0, 3));
  const step = (item: number): number => {
    const x = random.uniform();
    return following[item][x < 0.7 ? 0 : x < 0.9 ? 1 : 2];
  };
  const out = {
    items: new Int32Array(n * room).fill(-7),
    lengths: new Int32Array(n),
    next: new Int32Array(n),
    room,
  };
  for (let r = 0; r < n; r++) {
    const length = 1 + random.int(room);
    let walk = [random.int(items)];
    for (let t = 0; t < length; t++) walk.push(step(walk[t]));
    if (shuffled) walk = walk.map(() => random.int(items));
    out.items.set(walk.slice(0, length), r * room);
    out.lengths[r] = length;
    out.next[r] = walk[length];
  }
  return out;
}

/** The entropy of a step of that chain, in nats: no model has a smaller loss. */
export const CHAIN_ENTROPY = -(0.7 * Math.log(0.7) + 0.2 * Math.log(0.2) + 0.1 * Math.log(0.1));

/** A batch of some windows; with `everyPosition` a target for each item. */
export function windowBatch(
  { items, lengths, next, room }: Windows,
  rows: ArrayLike<number>,
  { bs = rows.length, everyPosition = false }: { bs?: number; everyPosition?: boolean } = {},
): Batch {
  const width = everyPosition ? room : 1;
  const batch = {
    size: rows.length,
    inputs: [new Int32Array(bs * room), new Int32Array(bs)],
    targets: new Float32Array(bs * width).fill(-1),
    rows: new Int32Array(bs),
  };
  for (let r = 0; r < rows.length; r++) {
    const i = rows[r];
    batch.inputs[0].set(items.subarray(i * room, (i + 1) * room), r * room);
    batch.inputs[1][r] = lengths[i];
    batch.rows[r] = i;
    if (everyPosition)
      for (let t = 1; t < lengths[i]; t++) batch.targets[r * room + t - 1] = items[i * room + t];
    batch.targets[everyPosition ? r * room + lengths[i] - 1 : r] = next[i];
  }
  return batch;
}

/** A loader of all windows in one batch, in order. */
export function wholeLoader(windows: Windows): DataLoader {
  const n = windows.next.length;
  const loader: DataLoader = {
    n,
    bs: n,
    length: 1,
    batches: () => [
      windowBatch(
        windows,
        Array.from({ length: n }, (_, i) => i),
      ),
    ],
    inOrder: () => loader,
  };
  return loader;
}

/** Loaders over windows: the last fifth is for validation. */
export function windowLoaders(
  windows: Windows,
  { bs = 64, everyPosition = false, items = 30 } = {},
): DataLoaders & { classes: ReturnType<typeof itemClasses> } {
  const n = windows.next.length;
  const cut = Math.floor(0.8 * n);
  const part = (from: number, to: number, shuffle: boolean): DataLoader => ({
    n: to - from,
    bs,
    length: shuffle ? Math.floor((to - from) / bs) : Math.ceil((to - from) / bs),
    *batches(epoch) {
      const order = shuffle
        ? new Random('order').child(epoch).permutation(to - from)
        : Int32Array.from({ length: to - from }, (_, i) => i);
      for (let b = 0; b < this.length; b++) {
        yield windowBatch(
          windows,
          order.subarray(b * bs, (b + 1) * bs).map((i) => from + i),
          { bs, everyPosition },
        );
      }
    },
    inOrder: () => part(from, to, false),
  });
  const decode = ({ targets }: Batch, row: number): Record<string, number> => ({
    next: targets[row],
  });
  return {
    train: part(0, cut, true),
    valid: part(cut, n, false),
    classes: itemClasses(items),
    showBatch() {},
    decode,
  };
}
