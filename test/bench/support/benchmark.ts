import { installDisplay } from '../../../lib/recital/display/show.js';
import { RecitalError } from '../../../lib/recital/errors.js';
import { type Figure, jsonLine } from './figures.js';
import { type OptionSpecs, type OptionValues, parseOptions, usage } from './options.js';

/** What every file of test/bench exports as `benchmark`. */
export interface Benchmark<S extends OptionSpecs = OptionSpecs> {
  /** What it measures, on what, against whom: some lines of text. */
  readonly about: string;
  readonly options: S;
  /**
   * Measures, prints tables on the way and returns the figures. Sets process.exitCode if a bound is
   * broken.
   */
  run(options: OptionValues<S>): Promise<Figure[]>;
}

/**
 * Runs a benchmark whose file was started as a program: says what it does, measures, ends with one
 * line of JSON for each figure.
 * @param args its options, as written after its name
 */
export async function main<S extends OptionSpecs>(
  benchmark: Benchmark<S>,
  args: readonly string[] = process.argv.slice(2),
): Promise<void> {
  installDisplay(); // warnings of the library are seen
  try {
    if (args.includes('--help')) {
      console.log(`${benchmark.about}\n\n${usage(benchmark.options)}`);
      return;
    }
    const options = parseOptions(benchmark.options, args);
    console.log(`${benchmark.about}\n`);
    const figures = await benchmark.run(options);
    console.log();
    for (const figure of figures) console.log(jsonLine(figure));
  } catch (error) {
    if (!(error instanceof RecitalError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
