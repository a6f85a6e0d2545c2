// What notebooks show. Importing this puts the display in force: drawn in a notebook, printed in a
// script.
import { setChartWriter } from '../data/output.js';
import { saveChart } from './chart-render.js';
import { installDisplay } from './show.js';

installDisplay();
setChartWriter(saveChart);

export { type BarChartOptions, barChart, type HistogramOptions, histogram } from './charts/bars.js';
export type { AxisScale, ChartOptions, Drawable } from './charts/common.js';
export { type HeatmapOptions, heatmap, type LabelledMatrix } from './charts/heatmap.js';
export { type LineChartOptions, lineChart } from './charts/line-chart.js';
export { type ScatterOptions, scatter } from './charts/scatter.js';
export { inNotebook, type MimeBundle } from './host.js';
export { escapeHtml } from './html.js';
export { noBar, noLogging, TrainingDisplay } from './progress.js';
export { type Displayable, displaySymbol, Html, html, Slot, show } from './show.js';
