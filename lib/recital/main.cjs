// Entry point for Node and tslab: the bundle of the sources (bundle.cjs). Types come from
// "types": "./index.ts".
const { load } = require('./bundle.cjs');

module.exports = load(__dirname, 'index.ts');
