// Every public name, and nothing else.
export * from './errors.js';
export { Random } from './compute/random.js';
export { Chart } from './data/chart.js';
export { type Cell, type Column, Table } from './data/table.js';
