import { randomUUID } from 'node:crypto';
import { Chart, setDisplay } from '../data/output.js';
import { Table } from '../data/table.js';
import { checkArgument, checkOptions } from '../options.js';
import { visible } from '../printed.js';
import { chartBundle, chartText } from './chart-render.js';
import {
  currentCell,
  inNotebook,
  joinKernel,
  type MimeBundle,
  publish,
  sayProgress,
  sayStopped,
} from './host.js';
import { tableHtml } from './html.js';

/**
 * The method that makes an object show itself in a notebook: it returns a MIME bundle. Deno's
 * convention, so objects made for Deno work as well, and tables and charts have it: Deno's kernel
 * draws them.
 * @example show({ [displaySymbol]: () => ({ 'text/html': '<b>five stars</b>', 'text/plain': 'five stars' }) });
 */
export const displaySymbol: unique symbol = Symbol.for('Jupyter.display');

/**
 * Something that can be shown: a table, a chart, HTML made by `html()`, or any object with a
 * `[Symbol.for('Jupyter.display')]()` method.
 * @example const stars: Displayable = { [displaySymbol]: () => ({ 'text/html': '<b>five stars</b>', 'text/plain': 'five stars' }) };
 */
export interface Displayable {
  [displaySymbol](): MimeBundle;
}

/**
 * A piece of HTML with the text that stands for it where there is no HTML.
 * @example show(new Html('<b>ready</b>', 'ready'));
 */
export class Html {
  /**
   * @param markup HTML; use `style=` attributes: notebooks that are not trusted lose `<style>` and
   *   `<script>`
   * @param text what a terminal prints instead
   */
  constructor(
    readonly markup: string,
    readonly text: string,
  ) {}

  [displaySymbol](): MimeBundle {
    return { 'text/html': this.markup, 'text/plain': this.text };
  }
}

/**
 * A piece of HTML to show. What comes from data must go through `escapeHtml` first.
 * @param markup HTML, as it stands: text from elsewhere goes through `escapeHtml`
 * @param text what stands for it where there is no HTML; default: the markup without its tags
 * @example show(html('<b>ready</b>', 'ready'))
 */
export function html(markup: string, text?: string): Html {
  checkArgument(
    typeof markup === 'string',
    markup,
    'html',
    "a text in HTML, such as '<b>bold</b>'; show takes tables and charts",
  );
  return new Html(markup, text ?? markup.replace(/<[^>]*>/g, ''));
}

interface Output {
  bundle: MimeBundle;
  metadata?: MimeBundle;
}

/** How a value looks in a notebook; undefined for a value that is just printed. */
function render(value: unknown, title?: string): Output | undefined {
  if (value instanceof Table) {
    const text = value.toString();
    return {
      bundle: {
        'text/html': tableHtml(value, { title }),
        'text/plain': title ? `${visible(title)}\n${text}` : text,
      },
    };
  }
  if (value instanceof Chart) return chartBundle(value);
  if (
    typeof value !== 'object' ||
    value === null ||
    typeof (value as Displayable)[displaySymbol] !== 'function'
  )
    return undefined;
  const bundle = (value as Displayable)[displaySymbol]();
  return typeof bundle === 'object' && bundle !== null ? { bundle } : undefined;
}

/** What a script prints for a value: a chart is not drawn for it. */
function plain(value: unknown, title?: string): unknown {
  if (value instanceof Chart) return chartText(value);
  const text = render(value, title)?.bundle['text/plain'];
  return typeof text === 'string' ? visible(text, '\n\t') : (text ?? value);
}

/**
 * Where a chart has been shown: in which cell, and whether by the function that made it. A method
 * such as `plotLoss` shows its chart and returns it as well: as the last value of the cell, or
 * inside `show(...)`, that chart must not appear a second time.
 */
const shownIn = new WeakMap<Chart, { cell: object; byItself: boolean }>();

/** Whether a value is a chart that this cell shows already. */
function isShown(value: unknown, { byItself = false } = {}): boolean {
  const place = value instanceof Chart ? shownIn.get(value) : undefined;
  return place !== undefined && place.cell === currentCell() && (place.byItself || !byItself);
}

function draw(
  value: unknown,
  { title, byItself = false }: { title?: string; byItself?: boolean } = {},
): void {
  if (value instanceof Chart) shownIn.set(value, { cell: currentCell(), byItself });
  const output = inNotebook() ? render(value, title) : undefined;
  if (output) publish(output.bundle, { metadata: output.metadata });
  else console.log(plain(value, title));
}

/**
 * Shows a value: a table as a table, a chart as a picture, anything else as console.log does. In a
 * plain script, as text. A chart that its maker has shown in the same cell, such as that of
 * `learn.recorder.plotLoss()`, is not shown again.
 * @param value a table, a chart, HTML, or anything, which is printed
 * @param options.title a line above a table
 * @example show(new Table({ track: ['a', 'b'], plays: Float64Array.of(3, 1) }), { title: 'Plays' })
 */
export function show(value: unknown, options: { title?: string } = {}): void {
  checkOptions(options, ['title'], 'show');
  if (!isShown(value, { byItself: true })) draw(value, options);
}

/**
 * A place in the output whose content can be replaced. In a plain script each content is printed
 * once it is final: by `show` alone, not by `update`.
 * @example
 * const place = new Slot();
 * place.update(html('<i>working …</i>'));
 * place.show(table);
 */
export class Slot {
  private readonly id = randomUUID();
  private used = false;

  /** Shows a value in this place; a script prints it. */
  show(value: unknown): void {
    if (inNotebook()) this.update(value);
    else show(value);
  }

  /** Shows a value that will be replaced soon; a script prints nothing. */
  update(value: unknown): void {
    if (!inNotebook()) return;
    const output = render(value) ?? { bundle: { 'text/plain': String(value) } };
    publish(output.bundle, { metadata: output.metadata, id: this.id, update: this.used });
    this.used = true;
  }
}

/** Gives the instances of a class the method by which they show themselves. */
function showsItself(type: { readonly prototype: object }): void {
  Object.defineProperty(type.prototype, displaySymbol, {
    value(this: unknown): MimeBundle | undefined {
      return render(this)?.bundle;
    },
    writable: true,
    configurable: true,
  });
}

/**
 * Makes tables, charts and lines from every layer appear here: in a notebook drawn, in a script
 * printed: lines about work in progress and warnings on standard error, what is shown on standard
 * output. Called when the library is imported. In a notebook, a table or chart that is the last
 * value of a cell is drawn as well, unless the cell shows that chart already; other kernels find
 * the method {@link displaySymbol} of tables and charts.
 * @example installDisplay(); // importing recital has done it already
 */
export function installDisplay(): void {
  for (const type of [Table, Chart]) showsItself(type);
  setDisplay({
    table: (table, options) => show(table, options),
    chart: (chart) => draw(chart, { byItself: true }),
    text: (line) => sayProgress(visible(line, '\n\t')),
    warn: (line) => console.warn(visible(line, '\n\t')),
    interrupted: sayStopped,
    slot: () => new Slot(),
  });
  joinKernel((value) => {
    if (isShown(value)) return true;
    const output = render(value);
    if (output) publish(output.bundle, { metadata: output.metadata, result: true });
    return output !== undefined;
  });
}
