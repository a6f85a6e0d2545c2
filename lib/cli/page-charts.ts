import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { escapeHtml } from '../notebook/escape.js';
import { type CellOutput, joined } from './notebook-file.js';
import { inline } from './page-script.js';

/** A chart or picture of an output: the PNG, and beside it the specification from which the page's script draws the interactive chart. */
export function chartFigure(output: CellOutput, interactive: boolean): { html: string; interactive: boolean } {
  const data = output.data ?? {};
  const spec = data['application/vnd.vegalite.v5+json'];
  const png = joined(data['image/png']).replace(/\s/g, '');
  const alt = escapeHtml(joined(data['text/plain']));
  const { width, height } = (output.metadata?.['image/png'] ?? {}) as { width?: number; height?: number };
  const size = width && height ? ` width="${Math.round(width)}" height="${Math.round(height)}"` : '';
  const picture = png ? `<img alt="${alt}"${size} src="data:image/png;base64,${png}">` : `<p>${alt}</p>`;
  const kind = spec === undefined ? '' : ' class="chart"'; // other pictures keep their colours in the dark
  if (!interactive || spec === undefined) return { html: `<figure${kind}>${picture}</figure>`, interactive: false };
  const json = JSON.stringify(spec).replaceAll('<', '\\u003c'); // a title with </script> must not end the script
  return { html: `<figure${kind}>${picture}<script type="application/json">${json}</script></figure>`, interactive: true };
}

/** The scripts that put interactive charts in the place of the pictures. If one cannot be drawn its picture stays. */
export function chartScripts(): string {
  const file = (name: string, path: string): string => readFileSync(join(dirname(require.resolve(`${name}/package.json`)), path), 'utf8');
  return inline(file('vega', 'build/vega.min.js')) + inline(file('vega-lite', 'build/vega-lite.min.js')) + inline(draw);
}

const draw = `
for (const figure of document.querySelectorAll('figure.chart')) {
  try {
    const data = figure.querySelector('script');
    if (!data) continue;
    const spec = JSON.parse(data.textContent);
    const picture = figure.querySelector('img, p');
    const box = document.createElement('div');
    box.setAttribute('role', 'img');
    box.setAttribute('aria-label', picture.alt || picture.textContent);
    const view = new vega.View(vega.parse(vegaLite.compile(spec).spec), { renderer: 'svg', container: box, hover: true, logLevel: vega.Error });
    view.runAsync().then(() => picture.replaceWith(box), console.error);
  } catch (error) {
    console.error(error);
  }
}
`;
