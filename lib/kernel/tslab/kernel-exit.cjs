// Why a kernel has ended, as far as its exit code, the signal and its last words tell.

const LINES = 15;
/** Node's own stacks, and their headings. */
const noise = /^\s*$|^\s*#?\s*\d+: |^-+ .*stack trace -+$/;

/**
 * @param {{ code: number | null, signal: string | null, log: string }} end how the process ended,
 *   and the end of what it printed outside of cells
 * @returns {string} one sentence or two, and the last words below them, if they say more
 */
function causeOfDeath({ code, signal, log }) {
  if (/out of memory|Reached heap limit/i.test(log)) {
    return 'The kernel ran out of memory, and its variables are gone. Use less data, or start with NODE_OPTIONS=--max-old-space-size=8192 (megabytes).';
  }
  const how = signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
  const guess =
    signal === 'SIGKILL'
      ? ' That is what the system does when memory runs out: if nobody else has done it, use less data.'
      : '';
  const words = log
    .split('\n')
    .filter((line) => !noise.test(line))
    .slice(-LINES)
    .join('\n');
  return `The kernel ${how}.${guess}${words ? `\nIts last words:\n${words}` : ''}`;
}

module.exports = { causeOfDeath };
