import { readFileSync } from 'node:fs';
import { writeAtomically } from '../../recital/data/files/atomic-write.js';
import { DataError } from '../../recital/errors.js';

/** Text in a notebook file: one string, or one a line. */
export type MultiLine = string | string[];

/** One output of a code cell (nbformat 4). */
export interface CellOutput {
  output_type: 'stream' | 'display_data' | 'execute_result' | 'error';
  /** Of a stream: stdout or stderr. */
  name?: string;
  text?: string[];
  /** Of a result: the number of its cell. */
  execution_count?: number | null;
  /** Of a display or a result: by MIME type. */
  data?: Record<string, unknown>;
  metadata?: Record<string, unknown>;
  ename?: string;
  evalue?: string;
  traceback?: string[];
}

/** One cell. */
export interface NotebookCell {
  cell_type: 'code' | 'markdown' | 'raw';
  id?: string;
  source: MultiLine;
  metadata: Record<string, unknown>;
  outputs?: CellOutput[];
  execution_count?: number | null;
}

/** A notebook file (nbformat 4). */
export interface Notebook {
  cells: NotebookCell[];
  metadata: Record<string, unknown>;
  nbformat: number;
  nbformat_minor: number;
}

/** A text as one string. */
export function joined(text: unknown): string {
  return Array.isArray(text) ? text.join('') : String(text ?? '');
}

/**
 * A text as a notebook file keeps it: one string a line, so that versions can be compared line by
 * line.
 */
export function lines(text: string): string[] {
  return text === '' ? [] : text.split(/(?<=\n)/);
}

/** Reads a notebook. Throws DataError if the file is not one. */
export function readNotebook(path: string): Notebook {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new DataError(`${path} cannot be read as a notebook: ${(error as Error).message}.`);
  }
  const { nbformat, cells } = content as Partial<Notebook>;
  if (nbformat !== 4 || !Array.isArray(cells)) {
    throw new DataError(
      `${path} is not a notebook of format 4 (it has ${nbformat === undefined ? 'no format' : `format ${nbformat}`}). Save it again in JupyterLab.`,
    );
  }
  return content as Notebook;
}

/**
 * Writes a notebook as Jupyter does, as a whole or not at all. Throws DataError if it cannot be
 * written.
 */
export function writeNotebook(path: string, notebook: Notebook): void {
  writeAtomically(path, [Buffer.from(`${JSON.stringify(notebook, null, 1)}\n`)]);
}
