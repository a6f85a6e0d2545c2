/**
 * How many threads a process may use, for kernels and for reading files: the environment variable
 * RECITAL_THREADS, for machines with many users. Undefined where it is not set, or is no whole
 * number of 1 or more.
 */
export function threadLimit(): number | undefined {
  const asked = Number(process.env.RECITAL_THREADS);
  return Number.isInteger(asked) && asked > 0 ? asked : undefined;
}
