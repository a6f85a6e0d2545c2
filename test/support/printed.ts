/** Runs `work` and returns what it printed with console.log and console.warn, one entry a call. */
export function printed(work: () => void): string[] {
  const lines: string[] = [];
  const { log, warn } = console;
  console.log = console.warn = (...args: unknown[]): void => {
    lines.push(args.map(String).join(' '));
  };
  try {
    work();
  } finally {
    Object.assign(console, { log, warn });
  }
  return lines;
}
