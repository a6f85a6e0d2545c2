// Entry point for Node and tslab: compiles the sources in memory, so there is no build step. Types
// come from "types": "./index.ts".
const { createRequire } = require('node:module');

require('tsx/cjs'); // the global hook; tsx/cjs/api's require() would load dependencies twice
// Not the `require` of this file: where a loader of ES modules has loaded it (a .cts script run by
// tsx), that one knows nothing of the hook.
module.exports = createRequire(__filename)('./index.ts');
