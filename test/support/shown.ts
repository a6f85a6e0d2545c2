import { type Chart, setDisplay } from '../../lib/recital/data/output.js';

import type { Table } from '../../lib/recital/data/table.js';

/** What was shown. */
export interface Shown {
  tables: { table: Table; title: string | undefined }[];
  charts: Chart[];
  /** Lines of text and warnings. */
  lines: string[];
}

/** Runs `work` and returns what it showed through the display. */
export function shown(work: () => void): Shown {
  const all: Shown = { tables: [], charts: [], lines: [] };
  const before = setDisplay({
    table: (table, options) => all.tables.push({ table, title: options?.title }),
    chart: (chart) => all.charts.push(chart),
    text: (line) => all.lines.push(line),
    warn: (line) => all.lines.push(line),
  });
  try {
    work();
  } finally {
    setDisplay(before);
  }
  return all;
}
