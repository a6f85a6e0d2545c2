// A compute thread: waits for a job in the shared control block (threads.ts), does its share of the rows, says that it is done.
const { workerData } = require('node:worker_threads');
const { readFileSync } = require('node:fs');
const v8 = require('node:v8');

const { memory, control, numbers, id, files, names } = workerData;
v8.setFlagsFromString('--experimental-wasm-relaxed-simd'); // for the fast build; on by default from Node 22
const instances = files.map((file) => new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)), { env: { memory, abort() {} } }).exports);

const [GENERATION, DONE, BUILD, KERNEL, ARGS, READY] = [0, 1, 2, 3, 4, 5];
let generation = Atomics.load(control, GENERATION);
Atomics.add(control, READY, 1);
for (;;) {
  let spins = 0;
  while (Atomics.load(control, GENERATION) === generation) if (++spins > 5000) Atomics.wait(control, GENERATION, generation);
  generation = Atomics.load(control, GENERATION);
  const from = control[8 + 2 * id];
  const to = control[9 + 2 * id];
  if (from < to) instances[control[BUILD]][names[control[KERNEL]]](from, to, ...numbers.subarray(0, control[ARGS]), id);
  Atomics.add(control, DONE, 1);
  Atomics.notify(control, DONE);
}
