import type { Notebook } from '../../lib/kernel/run/notebook-file.js';

/** A notebook of these cells: texts that begin with `# ` are prose, the others code. */
export function notebookOf(...sources: string[]): Notebook {
  const cells = sources.map((source, i) => {
    const prose = source.startsWith('# ');
    return {
      cell_type: prose ? 'markdown' : 'code',
      id: `cell-${i}`,
      metadata: {},
      source,
      ...(prose ? {} : { outputs: [], execution_count: null }),
    };
  });
  return { cells, metadata: {}, nbformat: 4, nbformat_minor: 5 } as Notebook;
}
