import { formatColumn, type Table } from '../data/table.js';
import { checkArgument } from '../options.js';
import { counted, visible } from '../printed.js';

/** Rows of a table that are written out; of longer ones the rest is counted. */
const MAX_ROWS = 20;

// Attributes only: front ends strip <style> from notebooks they do not trust. No colours but
// translucent grey: the text takes the theme's, light or dark.
const cellStyle =
  'padding:0.3em 0.7em;border:none;border-bottom:1px solid rgba(128,128,128,0.25);vertical-align:top;';
const numberStyle = `${cellStyle}text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap;`;
const textStyle = `${cellStyle}text-align:left;max-width:40em;overflow-wrap:break-word;`;
const headStyle =
  'border-bottom:2px solid rgba(128,128,128,0.6);font-weight:600;vertical-align:bottom;';
const captionStyle = 'caption-side:top;text-align:left;font-weight:600;padding:0.3em 0 0.2em;';
const tableStyle = 'border-collapse:collapse;border:none;font-size:0.95em;margin:0.3em 0;';

/**
 * HTML of a table, for light and dark themes and for notebooks that are not trusted.
 * @param options.title a line above it
 */
export function tableHtml(table: Table, { title }: { title?: string } = {}): string {
  const rows = table.head(MAX_ROWS);
  const columns = table.columnNames.map((name) => formatColumn(rows.column(name)));
  const body = Array.from({ length: rows.length }, (_, i) => columns.map((column) => column[i]));
  const numeric = table.columnNames.map((name) => rows.column(name) instanceof Float64Array);
  const left = table.length - rows.length;
  const note = left > 0 ? `… ${counted(left, 'more row')}` : '';
  return rowsHtml(table.columnNames, body, { numeric, title, note });
}

/**
 * HTML of a table of ready-made texts.
 * @param head column names
 * @param body one list of cells per row; null is a missing value
 * @param options.numeric which columns hold numbers, and so are set flush right
 * @param options.title a line above the table
 * @param options.note a line below it
 */
export function rowsHtml(
  head: readonly string[],
  body: readonly (readonly (string | null)[])[],
  { numeric, title, note }: { numeric: readonly boolean[]; title?: string; note?: string },
): string {
  const style = (j: number): string => (numeric[j] ? numberStyle : textStyle);
  const line = (cells: string[]): string => `<tr style="background:none;">${cells.join('')}</tr>`;
  const th = head.map(
    (name, j) =>
      `<th scope="col" style="${style(j)}${headStyle}">${escapeHtml(visible(name))}</th>`,
  );
  const tr = body.map((row) =>
    line(
      row.map(
        (text, j) =>
          `<td style="${style(j)}">${text === null ? '–' : escapeHtml(visible(text))}</td>`,
      ),
    ),
  );
  const caption = title
    ? `<caption style="${captionStyle}">${escapeHtml(visible(title))}</caption>`
    : ''; // a screen reader names the table by it
  const after = note
    ? `<div style="opacity:0.7;font-size:0.9em;margin:0.2em 0 0.5em;">${escapeHtml(note)}</div>`
    : '';
  const rows = `<thead>${line(th)}</thead><tbody>${tr.join('')}</tbody>`;
  return `<div><table border="1" class="dataframe" style="${tableStyle}">${caption}${rows}</table>${after}</div>`;
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * Text made safe for HTML, inside elements and inside quoted attributes.
 * @param text any text
 * @example escapeHtml('<b>') // '&lt;b&gt;'
 */
export function escapeHtml(text: string): string {
  checkArgument(typeof text === 'string', text, 'escapeHtml', 'a text');
  return text.replace(/[&<>"']/g, (c) => entities[c]);
}
