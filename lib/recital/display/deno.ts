import type { NotebookKernel } from './host.js';

type BroadcastResult = (count: number, result: unknown) => Promise<void>;

/** What Deno's Jupyter kernel offers to the cells that it runs, and what it does with their ends. */
interface Deno {
  readonly internal?: symbol;
  readonly jupyter?: { broadcast?(type: string, content: object): void };
  readonly [internal: symbol]:
    | { readonly jupyter?: { broadcastResult?: BroadcastResult } }
    | undefined;
}

/**
 * Deno's Jupyter kernel, as the library needs one; undefined anywhere else. It tells nobody which
 * cell runs, and sends a result without the sizes of its pictures: so the function by which it
 * sends results is replaced, if it is there. If it is not, results are shown by `displaySymbol`, and
 * a chart that its maker has shown and returned appears twice.
 */
export function denoKernel(): NotebookKernel | undefined {
  const { Deno: deno } = globalThis as { Deno?: Deno };
  const jupyter = offered(deno);
  const broadcast = jupyter?.broadcast;
  if (typeof broadcast !== 'function') return undefined;
  let cell: object | undefined;
  let count = 0;
  let draw: (value: unknown) => boolean = () => false;
  const inside = deno?.internal && deno[deno.internal]?.jupyter;
  const { broadcastResult } = inside || {};
  if (inside && typeof broadcastResult === 'function') {
    cell = {};
    inside.broadcastResult = async (number, result) => {
      count = number;
      try {
        if (!draw(result)) await broadcastResult(number, result);
      } finally {
        cell = {};
      }
    };
  }
  return {
    publish(output, update, result) {
      const type = update ? 'update_display_data' : result ? 'execute_result' : 'display_data';
      const content = JSON.parse(JSON.stringify(output)) as object; // as it is sent, without what JSON lacks
      broadcast(type, result ? { ...content, execution_count: count } : content);
    },
    currentCell: () => cell ?? {},
    interruptScope: () => undefined,
    say: () => false,
    drawLastExpression(next) {
      draw = next;
    },
  };
}

/** Deno's `Deno.jupyter`, which throws in a program that is no kernel. */
function offered(deno: Deno | undefined): Deno['jupyter'] {
  try {
    return deno?.jupyter;
  } catch {
    return undefined;
  }
}
