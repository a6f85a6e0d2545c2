import type { Table } from './table.js';

/** A table as CSV (RFC 4180, lines end in \n): numbers in full precision, a missing value as an empty field. */
export function csv(table: Table): string {
  const columns = table.columnNames.map((name) => table.strings(name));
  const lines = Array.from({ length: table.length }, (_, i) => columns.map((column) => quoted(column[i] ?? '')).join(','));
  return [table.columnNames.map(quoted).join(','), ...lines, ''].join('\n');
}

function quoted(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replace(/"/g, '""')}"` : field;
}
