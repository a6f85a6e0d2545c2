import {
  type Content,
  KernelClient,
  launchers,
  supervised,
} from '../../lib/kernel/run/kernel-client.js';

/**
 * What a cell gave: its reply, and what it printed, showed and failed with. A result that is only
 * text counts as printed, any other as shown.
 */
export interface CellRun {
  status: unknown;
  reply: Content;
  stdout: string;
  stderr: string;
  /** MIME bundles in the order shown; an update replaces the bundle it updates. */
  shown: Content[];
  error: { ename: string; evalue: string; traceback: string[] } | undefined;
  /** Type of each message, in order. */
  types: string[];
}

export { KernelClient, launchers, supervised };

/**
 * Runs a cell and gathers its output. `onPrint` is called with what there is whenever the cell
 * prints something.
 */
export async function runCell(
  kernel: KernelClient,
  code: string,
  onPrint: (sofar: CellRun) => unknown = () => {},
): Promise<CellRun> {
  const run: CellRun = {
    status: undefined,
    reply: {},
    stdout: '',
    stderr: '',
    shown: [],
    error: undefined,
    types: [],
  };
  const places = new Map<unknown, number>();
  run.reply = await kernel.execute(code, (type, content) => {
    run.types.push(type);
    if (type === 'stream') {
      run[content.name as 'stdout' | 'stderr'] += content.text;
      onPrint(run);
    }
    if (type === 'error') run.error = content as unknown as CellRun['error'];
    const id = (content.transient as Content | undefined)?.display_id;
    const data = content.data as Content | undefined;
    const isText = type === 'execute_result' && Object.keys(data ?? {}).join() === 'text/plain';
    if (isText) run.stdout += `${data?.['text/plain']}\n`;
    if (type === 'display_data' || (type === 'execute_result' && !isText)) {
      places.set(id, run.shown.length);
      run.shown.push(content.data as Content);
    }
    if (type === 'update_display_data') run.shown[places.get(id) ?? -1] = content.data as Content;
  });
  run.status = run.reply.status;
  return run;
}
