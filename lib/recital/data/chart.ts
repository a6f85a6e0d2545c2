import { RecitalError } from '../errors.js';

type Writer = (chart: Chart, file: string) => void;

let writer: Writer | undefined;

/**
 * Says how charts are written to files. Called by notebook/, which draws them, when the library is
 * imported.
 */
export function setChartWriter(write: Writer): void {
  writer = write;
}

/**
 * A chart: a Vega-Lite 5 specification with a title and a sentence for those who cannot see it.
 * notebook/ draws it.
 * @example
 * const values = [{ artist: 'A', plays: 12 }, { artist: 'B', plays: 5 }];
 * const encoding = { x: { field: 'plays', type: 'quantitative' }, y: { field: 'artist', type: 'nominal' } };
 * new Chart({ data: { values }, mark: 'bar', encoding }, 'Plays', 'Bars: artist A 12 plays, artist B 5.')
 */
export class Chart {
  /**
   * @param spec a Vega-Lite specification, written for 5.6 (what JupyterLab 4 bundles), without
   *   `$schema`, `title` and `config`
   * @param title printed above the chart
   * @param alt what the chart shows, in a sentence: the alternative text and the text output
   */
  constructor(
    readonly spec: Record<string, unknown>,
    readonly title: string,
    readonly alt: string,
  ) {}

  /**
   * Writes the chart to a file, which appears complete or not at all. Title and alternative text go
   * with it: as `<title>` and `<desc>` of an SVG, as the texts `Title` and `Description` of a PNG.
   * @param file ends in `.svg` (sharp at any size) or `.png` (two pixels a point); its folder must
   *   exist
   * @throws ArgumentError for another ending, DataError if the file cannot be written
   * @example histogram(new Table({ plays: [1, 2, 2, 3] }), 'plays').save('plays.svg')
   */
  save(file: string): void {
    if (!writer)
      throw new RecitalError(
        "Nothing here draws charts yet. Import the library as a whole: `import 'recital'`.",
      );
    writer(this, file);
  }
}
