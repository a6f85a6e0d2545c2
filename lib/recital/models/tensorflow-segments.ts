import type { DataId, KernelConfig, TensorInfo } from '@tensorflow/tfjs-core';
import type { Tensorflow } from './tensorflow-load.js';

/** What a kernel sees of the backend in plain JavaScript. */
interface CpuBackend {
  readSync(dataId: DataId): Float32Array | Int32Array;
  makeTensorInfo(shape: number[], dtype: string, values: Float32Array | Int32Array): TensorInfo;
}

/**
 * Sums of the rows of each segment, out[s] = Σ x[i] over segmentIds[i] = s: the gradient of a
 * lookup in a table. The kernel that comes with TensorFlow.js in plain JavaScript goes through the
 * whole batch once for every segment, so that a step with a table of 10,000 users takes half a
 * minute.
 */
const sumSegments: KernelConfig = {
  kernelName: 'UnsortedSegmentSum',
  backendName: 'cpu',
  kernelFunc({ inputs, backend, attrs }): TensorInfo {
    const { x, segmentIds } = inputs as { x: TensorInfo; segmentIds: TensorInfo };
    const { readSync, makeTensorInfo } = bound(backend as CpuBackend);
    const { numSegments } = attrs as unknown as { numSegments: number };
    const values = readSync(x.dataId);
    const ids = readSync(segmentIds.dataId);
    const rest = x.shape.slice(segmentIds.shape.length);
    const width = rest.reduce((n, d) => n * d, 1);
    const sums =
      x.dtype === 'int32'
        ? new Int32Array(numSegments * width)
        : new Float32Array(numSegments * width);
    for (let i = 0; i < ids.length; i++) {
      if (!(ids[i] >= 0 && ids[i] < numSegments)) continue; // dropped, as by the kernel that this one replaces
      const to = ids[i] * width;
      for (let j = 0; j < width; j++) sums[to + j] += values[i * width + j];
    }
    return makeTensorInfo([numSegments, ...rest], x.dtype, sums);
  },
};

function bound(backend: CpuBackend): CpuBackend {
  return {
    readSync: (id) => backend.readSync(id),
    makeTensorInfo: (...info) => backend.makeTensorInfo(...info),
  };
}

/** Puts the kernel in the place of that of TensorFlow.js, if it is not there already. */
export function sumSegmentsAtOnce(tf: Tensorflow): void {
  const { kernelName, backendName } = sumSegments;
  const theirs = tf.getKernel(kernelName, backendName as 'cpu');
  if (theirs === sumSegments) return;
  if (theirs) tf.unregisterKernel(kernelName, backendName as 'cpu');
  tf.registerKernel(sumSegments);
}
