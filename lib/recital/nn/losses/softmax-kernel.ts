import { float32, int32 } from '../../compute/memory.js';
import { parallel } from '../../compute/threads.js';
import { onSharedMemory } from '../scratch.js';

/** Classes from which the kernel is worth its call; below, a plain loop in float64 does as well. */
const MANY = 256;

let classes = int32(0);
let scales = float32(0);
let room = float32(0);
let parts: ArrayLike<number> = [];
let losses = new Float64Array(0);

/**
 * How many of the rows of the last call have their own class's logit as the highest, or one of the
 * highest. Rows that do not count have not.
 */
export function rightRows(size: number): number {
  let right = 0;
  for (let i = 0; i < size; i++) if (parts[2 * i + 1] === 0 && classes[i] >= 0) right++;
  return right;
}

/** Rows of logits and their classes, −1 for a row that does not count. */
export interface SoftmaxRows {
  readonly size: number;
  readonly outputs: number;
  readonly pred: Float32Array;
  /** The class of row i, checked. */
  classOf(i: number): number;
}

/** Whether the kernel can and should do these rows. */
export function forKernel(pred: Float32Array, outputs: number): boolean {
  return outputs >= MANY && onSharedMemory(pred);
}

/**
 * Cross-entropy of the softmax of rows, by a kernel and on all threads: each row's loss (a view,
 * valid until the next call) and, with `into`, its gradient.
 * @param options.out where the gradient goes: on the shared memory; it may be `pred` itself.
 *   `scaleOf`: what row i's gradient is multiplied by
 */
export function softmaxCrossEntropy(
  { size, outputs, pred, classOf }: SoftmaxRows,
  into?: { out: Float32Array; scaleOf: (i: number) => number },
): Float64Array {
  if (classes.length < size) {
    classes = int32(size);
    scales = float32(size);
    room = float32(4 * size);
    parts = new Float64Array(room.buffer, room.byteOffset, 2 * size);
    losses = new Float64Array(size);
  }
  for (let i = 0; i < size; i++) {
    classes[i] = classOf(i);
    scales[i] = into ? into.scaleOf(i) : 0;
  }
  const args = [
    outputs,
    pred.byteOffset,
    classes.byteOffset,
    room.byteOffset,
    into ? into.out.byteOffset : 0,
    scales.byteOffset,
  ];
  parallel('crossEntropyRows', size, args, { grain: Math.ceil(20_000 / outputs) });
  for (let i = 0; i < size; i++) losses[i] = Math.log(parts[2 * i]) + parts[2 * i + 1];
  return losses;
}
