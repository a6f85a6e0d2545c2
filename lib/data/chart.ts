/** A chart: a Vega-Lite 5 specification with a title and a sentence for those who cannot see it. notebook/ draws it. */
export class Chart {
  /**
   * @param spec a Vega-Lite specification, written for 5.6 (what JupyterLab 4 bundles), without `$schema`, `title` and `config`
   * @param title printed above the chart
   * @param alt what the chart shows, in a sentence: the alternative text and the text output
   */
  constructor(
    readonly spec: Record<string, unknown>,
    readonly title: string,
    readonly alt: string,
  ) {}
}
