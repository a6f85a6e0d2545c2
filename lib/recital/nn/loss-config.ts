import type { Fields, Json } from '../data/files/fields.js';
import type { Loss } from './loss.js';
import {
  BCEWithLogitsLossFlat,
  BPRLoss,
  CrossEntropyLossFlat,
  FocalLossFlat,
  HingeLoss,
  L1LossFlat,
  LabelSmoothingCrossEntropyFlat,
  MSELossFlat,
} from './losses.js';

/** Values of a loss's options. */
type Options = Record<string, number | number[]>;

/** How a loss is described and made again. */
interface LossKind {
  readonly type: new (...args: never[]) => Loss;
  /** Its options, and the property in which it keeps each. */
  readonly options: Readonly<Record<string, string>>;
  make(options: Options): Loss;
}

const kinds: Readonly<Record<string, LossKind>> = {
  MSELossFlat: { type: MSELossFlat, options: {}, make: () => new MSELossFlat() },
  L1LossFlat: { type: L1LossFlat, options: {}, make: () => new L1LossFlat() },
  BCEWithLogitsLossFlat: {
    type: BCEWithLogitsLossFlat,
    options: { posWeight: 'posWeight', thresh: 'thresh' },
    make: (options) => new BCEWithLogitsLossFlat(options),
  },
  CrossEntropyLossFlat: {
    type: CrossEntropyLossFlat,
    options: { weight: 'weight', ignoreIndex: 'ignoreIndex', labelSmoothing: 'labelSmoothing' },
    make: (options) => new CrossEntropyLossFlat(options),
  },
  LabelSmoothingCrossEntropyFlat: {
    type: LabelSmoothingCrossEntropyFlat,
    options: { eps: 'labelSmoothing' },
    make: (options) => new LabelSmoothingCrossEntropyFlat(options),
  },
  FocalLossFlat: {
    type: FocalLossFlat,
    options: { gamma: 'gamma', weight: 'weight' },
    make: (options) => new FocalLossFlat(options),
  },
  BPRLoss: { type: BPRLoss, options: {}, make: () => new BPRLoss() },
  HingeLoss: {
    type: HingeLoss,
    options: { margin: 'margin' },
    make: (options) => new HingeLoss(options),
  },
};

/** A loss as JSON: its name and, if it is one of the library's, its options. */
export function lossConfig(loss: Loss): { readonly [name: string]: Json } {
  const kind = kindOf(loss.name);
  if (!kind || loss.constructor !== kind.type) return { name: loss.name, own: true };
  const config: Record<string, Json> = { name: loss.name };
  for (const [option, property] of Object.entries(kind.options)) {
    const value = (loss as unknown as Record<string, number | ArrayLike<number> | undefined>)[
      property
    ];
    if (value !== undefined) config[option] = typeof value === 'number' ? value : Array.from(value);
  }
  return config;
}

/** The loss that is described; undefined if it is not one of the library's. */
export function lossFromConfig(fields: Fields): Loss | undefined {
  const kind = kindOf(fields.text('name'));
  if (!kind || fields.has('own')) return undefined;
  fields.only(['name', ...Object.keys(kind.options)]);
  const options: Options = {};
  for (const option of Object.keys(kind.options)) {
    if (fields.has(option))
      options[option] = option === 'weight' ? fields.numbers(option) : fields.number(option);
  }
  return kind.make(options);
}

function kindOf(name: string): LossKind | undefined {
  return Object.hasOwn(kinds, name) ? kinds[name] : undefined;
}
