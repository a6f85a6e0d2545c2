// All entries of the package as one bundle, in which they share one library: what `recital`
// exports, and `$NAME` for each `recital/NAME`. A checkout loads it (main.cjs).

export * as $browser from './browser/index.js';
export * from './index.js';
export * as $tensorflow from './models/tensorflow.js';
export * as $serve from './serve/serve.js';
