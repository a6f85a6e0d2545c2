/** Runs `work` and returns what it printed by the methods of console, one entry a call. */
export function printed(work: () => void): string[] {
  const lines: string[] = [];
  const { log, warn, error } = console;
  console.log =
    console.warn =
    console.error =
      (...args: unknown[]): void => {
        lines.push(args.map(String).join(' '));
      };
  try {
    work();
  } finally {
    Object.assign(console, { log, warn, error });
  }
  return lines;
}
