// All that users can import: the names of `recital` and of its subpaths.
export * from '../../lib/recital/index.js';
export * from '../../lib/recital/models/tensorflow.js';
export * from '../../lib/recital/serve/serve.js';
