// A thread of Node with a memory of its own that multiplies natively, for native-build.test.ts:
// workerData is the FOLDER of the build. Says whether the product is right.
const { parentPort, workerData } = require('node:worker_threads');
require('tsx/cjs');
const { loadNative } = require('../../lib/recital/compute/kernels.ts');
const { setCompute } = require('../../lib/recital/compute/threads.ts');
const { float32 } = require('../../lib/recital/compute/memory.ts');
const { matmul } = require('../../lib/recital/compute/matmul.ts');

loadNative(workerData);
setCompute({ native: true, threads: 3 });
const n = 150;
const [a, b, c] = [float32(n * n), float32(n * n), float32(n * n)].map((values) => ({
  values,
  rowStride: n,
}));
for (let i = 0; i < n * n; i++) a.values[i] = i % 7;
for (let i = 0; i < n; i++) b.values[i * n + i] = 2;
for (let round = 0; round < 200; round++) matmul({ m: n, n, k: n }, { a, b, c });
parentPort.postMessage(c.values.every((x, i) => x === 2 * (i % 7)));
