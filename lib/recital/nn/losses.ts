// Every loss, and what they have in common.
export {
  type Loss,
  type LossRows,
  lossGradient,
  lossOf,
  lossWithGradient,
  type Reduction,
} from './loss.js';
export { BCEWithLogitsLossFlat, type BCEWithLogitsLossOptions } from './losses/binary.js';
export {
  CrossEntropyLossFlat,
  type CrossEntropyLossOptions,
  LabelSmoothingCrossEntropyFlat,
} from './losses/cross-entropy.js';
export { FocalLossFlat, type FocalLossOptions } from './losses/focal.js';
export { BPRLoss, HingeLoss, PairwiseLoss } from './losses/pairwise.js';
export { L1LossFlat, MSELossFlat } from './losses/regression.js';
export { sigmoid } from './sigmoid.js';
