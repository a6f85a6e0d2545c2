// Entry point for Node and tslab: compiles lib/*.ts in memory, so there is no build step. Types come from "types": "./lib/index.ts".
require('tsx/cjs'); // the global hook; tsx/cjs/api's require() would load dependencies twice
module.exports = require('./index.ts');
