import { readFileSync } from 'node:fs';
import { writeAtomically } from '../../recital/data/files/atomic-write.js';
import { DataError } from '../../recital/errors.js';
import type { Content } from './kernel-client.js';

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

/** Gathers the messages of a notebook's cells into outputs, as a front end does when it saves. */
export class Outputs {
  /** Outputs of the cell that runs. */
  current: CellOutput[] = [];
  private clearNext = false;
  private readonly displays = new Map<string, CellOutput[]>();

  /** A cell begins; its outputs go into this list. */
  begin(outputs: CellOutput[]): void {
    this.current = outputs;
    this.clearNext = false;
  }

  /** Takes in one message. */
  add(type: string, content: Content): void {
    const {
      text,
      name,
      data,
      metadata = {},
      wait,
    } = content as { text: string; name: string; data: Content; metadata: Content; wait: boolean };
    if (type === 'stream') this.print(name, text);
    else if (type === 'error') this.push({ output_type: 'error', ...(content as object) });
    else if (type === 'clear_output') {
      if (wait) this.clearNext = true;
      else this.current.length = 0;
    } else if (type === 'update_display_data') {
      for (const output of this.displays.get(displayId(content)) ?? [])
        Object.assign(output, { data: stored(data), metadata });
    } else if (type === 'display_data' || type === 'execute_result') {
      const count =
        type === 'execute_result' ? { execution_count: content.execution_count as number } : {};
      const output: CellOutput = {
        output_type: type,
        ...count,
        data: stored(data),
        metadata: metadata as Record<string, unknown>,
      };
      const id = displayId(content);
      if (id) this.displays.set(id, [...(this.displays.get(id) ?? []), output]);
      this.push(output);
    }
  }

  private push(output: CellOutput): void {
    if (this.clearNext) this.current.length = 0;
    this.clearNext = false;
    this.current.push(output);
  }

  private print(name: string, text: string): void {
    const last = this.clearNext ? undefined : this.current.at(-1);
    if (last?.output_type === 'stream' && last.name === name)
      last.text = lines(rewritten(joined(last.text) + text));
    else this.push({ name, output_type: 'stream', text: lines(rewritten(text)) });
  }
}

/** The id by which later messages replace a display. */
export function displayId(content: Content): string {
  return String((content.transient as Content | undefined)?.display_id ?? '');
}

/** A carriage return takes the writer back to the start of the line. */
function rewritten(text: string): string {
  return text.replace(/^.*\r(?!\n)/gm, '');
}

/** A MIME bundle as a file keeps it: text by lines, pictures and JSON as they are. */
function stored(data: Content): Record<string, unknown> {
  const isText = (type: string, value: unknown): value is string =>
    typeof value === 'string' && (type.startsWith('text/') || type === 'image/svg+xml');
  return Object.fromEntries(
    Object.entries(data).map(([type, value]) => [type, isText(type, value) ? lines(value) : value]),
  );
}
