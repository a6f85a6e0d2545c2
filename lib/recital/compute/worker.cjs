// A compute thread: waits for a job in the shared control block (threads.ts), does tasks of it as
// long as there are some, says that it is done.
const { workerData } = require('node:worker_threads');
const v8 = require('node:v8');

const { memory, control, numbers, id, modules, names } = workerData;
if (process.versions.node.startsWith('20.'))
  v8.setFlagsFromString('--experimental-wasm-relaxed-simd'); // for the fast build: see kernels.ts
const instances = modules.map(
  (module) => new WebAssembly.Instance(module, { env: { memory, abort() {} } }).exports,
);

const [GENERATION, ACTIVE, BUILD, KERNEL, ARGS, READY, NEXT, TASKS, OPEN, RANGES] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 10,
];
let generation = Atomics.load(control, GENERATION);
Atomics.add(control, READY, 1);
for (;;) {
  let spins = 0;
  while (Atomics.load(control, GENERATION) === generation)
    if (++spins > 5000) Atomics.wait(control, GENERATION, generation);
  generation = Atomics.load(control, GENERATION);
  Atomics.add(control, ACTIVE, 1); // first this, then a look at OPEN: whose job it is looks in the opposite order
  try {
    if (Atomics.load(control, OPEN) && id < control[TASKS]) work();
  } finally {
    Atomics.sub(control, ACTIVE, 1);
    Atomics.notify(control, ACTIVE);
  }
}

function work() {
  const kernel = instances[control[BUILD]][names[control[KERNEL]]];
  const args = numbers.slice(0, control[ARGS]);
  for (let task = 0; (task = Atomics.add(control, NEXT, 1)) < control[TASKS]; )
    kernel(control[RANGES + 2 * task], control[RANGES + 2 * task + 1], ...args, id);
}
