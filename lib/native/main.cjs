// Entry point for Node: the bundle of the sources. Types come from "types": "./index.ts".
const { load } = require('../recital/bundle.cjs');

module.exports = load(__dirname, 'index.ts');
