import { joined, type Notebook, type NotebookCell } from '../../lib/kernel/run/notebook-file.js';

/** The hidden solution of an exercise in a notebook. */
export interface Solution {
  /** Its exercise, e.g. `2. A mistake.` */
  title: string;
  code: string;
  /** What the notebook says that it prints and shows. */
  output: string;
}

const hidden =
  /(<details>\n<summary>Solution<\/summary>\n\n```ts\n)([\s\S]*?)(\n```\n\n)(?:gives\n\n)?(```text\n)([\s\S]*?)(\n```\n\n[\s\S]*?\n\n<\/details>)/g;

/**
 * All solutions, in order: in prose, `<details>` with a fence of TypeScript, the word "gives"
 * (without it two fences look like one in JupyterLab), a fence of what it gives, and a sentence
 * about it.
 */
export function solutionsOf({ cells }: Notebook): Solution[] {
  return cells
    .filter((cell) => cell.cell_type === 'markdown')
    .flatMap((cell) => {
      const text = joined(cell.source);
      const title = /^\*\*(.*?)\*\*/.exec(text)?.[1] ?? '';
      return [...text.matchAll(hidden)].map(([, , code, , , output]) => ({ title, code, output }));
    });
}

/**
 * A copy of a notebook with the solutions as further cells, as if a reader had copied each into a
 * cell below the last one.
 */
export function withSolutions(notebook: Notebook): Notebook {
  const copy = structuredClone(notebook);
  const cells = solutionsOf(notebook).map(
    ({ code }): NotebookCell => ({ cell_type: 'code', metadata: {}, source: code, outputs: [] }),
  );
  return { ...copy, cells: [...copy.cells, ...cells] };
}

/** A copy of a notebook whose solutions say that they give these outputs, one each. */
export function withOutputs(notebook: Notebook, outputs: readonly string[]): Notebook {
  let next = 0;
  const cells = notebook.cells.map((cell) => {
    if (cell.cell_type !== 'markdown') return cell;
    const text = joined(cell.source);
    const filled = text.replace(hidden, (_, open, code, end, begin, _old, close) =>
      [open, code, end, 'gives\n\n', begin, outputs[next++], close].join(''),
    );
    return filled === text ? cell : { ...cell, source: filled.split(/(?<=\n)/) };
  });
  return { ...notebook, cells };
}

/** The names that code declares for the cells after it. */
export function declared(code: string): string[] {
  const heads = [
    ...code.matchAll(
      /^(?:export )?(?:async )?(?:const|let|var|function\*?|class) +(\{[^}]*\}|\[[^\]]*\]|\w+)/gm,
    ),
  ];
  return heads.flatMap(([, names]) =>
    [...names.matchAll(/(\w+)\s*(?=[,}\]]|$)/g)].map(([, name]) => name),
  );
}

/** What a code cell printed and showed, as text; clock times apart. */
export function textOf({ outputs = [] }: NotebookCell): string {
  const parts = outputs.map(({ text, data }) => joined(text ?? data?.['text/plain'] ?? ''));
  return parts.join('\n').replace(/\b\d+:\d\d(:\d\d)?\b/g, 'TIME');
}
