import util from 'node:util';
import type * as tfjs from '@tensorflow/tfjs-core';
import type { DataId, KernelConfig, TensorInfo } from '@tensorflow/tfjs-core';
import type {} from '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js'; // types of x.mul(y)
import { display } from '../data/output.js';
import { findOptional, loadQuietly, requireFile } from '../optional.js';

/**
 * The operations of TensorFlow.js, as `tensorflow()` returns them:
 * https://js.tensorflow.org/api/latest.
 */
export type Tensorflow = typeof tfjs;

let loaded: Tensorflow | undefined;

/**
 * TensorFlow.js, to write models with: `tf.matMul(a, b)`, `a.mul(b)`. `@tensorflow/tfjs-node` where
 * it is installed (`npm run tensorflow` does it): TensorFlow's own machine code, and then
 * `tf.getBackend()` is `'tensorflow'`. Else plain JavaScript, `'cpu'`: every operation, for small
 * data.
 * @example
 * const tf = tensorflow();
 * tf.matMul([[1, 2]], [[3], [4]]).dataSync() // 11
 */
export function tensorflow(): Tensorflow {
  loaded ??= native() ?? plain();
  sumSegmentsAtOnce(loaded); // again, too: a copy of TensorFlow.js that was loaded since has brought its own kernel
  return loaded;
}

function native(): Tensorflow | undefined {
  const file = findOptional('tensorflow');
  if (!file) return undefined;
  try {
    return loadNative(file);
  } catch (error) {
    display().warn(
      `@tensorflow/tfjs-node is installed, but cannot be loaded: plain TensorFlow.js takes its place. \`npm run tensorflow\` installs it anew. (${(error as Error).message.split('\n')[0]})`,
    );
    return undefined;
  }
}

/** Loads @tensorflow/tfjs-node from its file, on any version of Node. */
export function loadNative(file: string): Tensorflow {
  // Its operations call both. Node 23 has removed the one, and warns that it will remove the other.
  Object.assign(util, {
    isNullOrUndefined: (x: unknown) => x === null || x === undefined,
    isArray: Array.isArray,
  });
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '1'; // no lines on the processor's features
  return loadQuietly(() => requireFile<Tensorflow>(file));
}

function plain(): Tensorflow {
  return loadQuietly(() => {
    const tf = require('@tensorflow/tfjs-core') as Tensorflow;
    require('@tensorflow/tfjs-core/dist/register_all_gradients.js');
    require('@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js');
    if (tf.engine().backendNames().length === 0) require('@tensorflow/tfjs-backend-cpu');
    tf.scalar(0).dispose(); // its first tensor prints a banner that advises to install tfjs-node: not when it is quiet
    return tf;
  });
}

/** The part of the backend in plain JavaScript that a kernel uses. */
interface CpuBackend {
  readSync(dataId: DataId): Float32Array | Int32Array;
  makeTensorInfo(shape: number[], dtype: string, values: Float32Array | Int32Array): TensorInfo;
}

/**
 * Sums of the rows of each segment, out[s] = Σ x[i] over segmentIds[i] = s: the gradient of a
 * lookup in a table. TensorFlow.js's own goes through the batch once for every segment: a step with
 * a table of 10,000 users took half a minute.
 */
const sumSegments: KernelConfig = {
  kernelName: 'UnsortedSegmentSum',
  backendName: 'cpu',
  kernelFunc({ inputs, backend, attrs }): TensorInfo {
    const { x, segmentIds } = inputs as { x: TensorInfo; segmentIds: TensorInfo };
    const cpu = backend as CpuBackend;
    const { numSegments } = attrs as unknown as { numSegments: number };
    const values = cpu.readSync(x.dataId);
    const ids = cpu.readSync(segmentIds.dataId);
    const rest = x.shape.slice(segmentIds.shape.length);
    const width = rest.reduce((n, d) => n * d, 1);
    const size = numSegments * width;
    const sums = x.dtype === 'int32' ? new Int32Array(size) : new Float32Array(size);
    for (let i = 0; i < ids.length; i++) {
      if (!(ids[i] >= 0 && ids[i] < numSegments)) continue; // ignored, as by the original kernel
      const to = ids[i] * width;
      for (let j = 0; j < width; j++) sums[to + j] += values[i * width + j];
    }
    return cpu.makeTensorInfo([numSegments, ...rest], x.dtype, sums);
  },
};

/** Replaces the kernel of TensorFlow.js by this one. */
function sumSegmentsAtOnce(tf: Tensorflow): void {
  const { kernelName, backendName } = sumSegments;
  const theirs = tf.getKernel(kernelName, backendName as 'cpu');
  if (theirs === sumSegments) return;
  if (theirs) tf.unregisterKernel(kernelName, backendName as 'cpu');
  tf.registerKernel(sumSegments);
}
