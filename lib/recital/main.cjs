// What a checkout loads: the bundle of the sources (bundle.cjs). dist/*.js lead here.
const { load } = require('./bundle.cjs');

module.exports = load(__dirname, 'entries.ts');
