import { expect } from 'chai';
import { Chart } from '../../../lib/recital/data/output.js';
import { Table } from '../../../lib/recital/data/table.js';
import { denoKernel } from '../../../lib/recital/display/deno.js';
import { inNotebook, show } from '../../../lib/recital/display/index.js';
import { TrainingDisplay } from '../../../lib/recital/display/progress.js';
import { installDisplay } from '../../../lib/recital/display/show.js';

interface Sent {
  type: string;
  data: Record<string, unknown>;
  metadata: Record<string, unknown>;
  id: string;
  count?: number;
}

const place = globalThis as { Deno?: unknown; [key: symbol]: unknown };
const name = Symbol.for('recital.kernel');

/** Runs `work` where there is a kernel like Deno's; what it sends, and a function that ends a cell. */
async function inDeno(
  work: (end: (result?: unknown) => Promise<void>) => void | Promise<void>,
  { inside = true } = {},
): Promise<{ sent: Sent[]; formatted: unknown[] }> {
  const sent: Sent[] = [];
  const formatted: unknown[] = [];
  const broadcast = (type: string, { data, metadata, transient, execution_count }: never) =>
    void sent.push({
      type,
      data,
      metadata,
      id: (transient as { display_id: string }).display_id,
      ...(execution_count === undefined ? {} : { count: execution_count }),
    });
  const broadcastResult = async (_: number, result: unknown): Promise<void> =>
    void formatted.push(result);
  const internal = Symbol('Deno.internal');
  const hidden = { jupyter: inside ? { broadcastResult } : {} };
  let count = 0;
  place.Deno = { internal, jupyter: { broadcast }, [internal]: hidden };
  try {
    installDisplay();
    await work(async (result) => hidden.jupyter.broadcastResult?.(++count, result));
  } finally {
    delete place.Deno;
    delete place[name];
  }
  return { sent, formatted };
}

const table = new Table({ plays: [3, 1] });
const chart = (): Chart => new Chart({ data: { values: [] }, mark: 'bar' }, 'Plays', 'No bar.');

describe("Deno's kernel", () => {
  it('is found where it runs, and not in a program of Deno, or of Node', () => {
    expect(denoKernel()).to.equal(undefined);
    const throwing = {
      get jupyter(): never {
        throw new Error('Deno.jupyter is only available in `deno jupyter` subcommand');
      },
    };
    for (const Deno of [throwing, {}, { jupyter: {} }]) {
      place.Deno = Deno;
      try {
        expect(denoKernel()).to.equal(undefined);
      } finally {
        delete place.Deno;
      }
    }
    expect(inNotebook()).to.equal(false);
  });

  it('shows tables in the cell, and the last value with its number', async () => {
    const { sent, formatted } = await inDeno(async (end) => {
      expect(inNotebook()).to.equal(true);
      show(table, { title: 'Plays' });
      await end(table);
      await end(3);
    });
    expect(sent.map(({ type, count }) => [type, count])).to.deep.equal([
      ['display_data', undefined],
      ['execute_result', 1],
    ]);
    expect(sent[0].data['text/html']).to.contain('<caption');
    expect(sent[1].data['text/plain']).to.equal(table.toString());
    expect(formatted).to.deep.equal([3]);
  });

  it('shows a chart with the size of its picture, and that of its maker once in a cell', async () => {
    const { sent } = await inDeno(async (end) => {
      const made = chart();
      show(made);
      await end(made); // shown by this cell
      await end(made); // by another one
    });
    expect(sent.map(({ type }) => type)).to.deep.equal(['display_data', 'execute_result']);
    for (const { metadata } of sent)
      expect(metadata['image/png']).to.include.keys('width', 'height', 'alt');
  });

  it('shows a training in one place', async () => {
    const { sent } = await inDeno(() => {
      const view = new TrainingDisplay(1, 10, ['epoch', 'train_loss']);
      view.row([0, 0.25]);
      view.done();
    });
    const [first, ...updates] = sent;
    expect(first.type).to.equal('display_data');
    expect(updates.map(({ type }) => type)).to.include('update_display_data');
    expect(new Set(sent.map(({ id }) => id)).size).to.equal(1);
    expect(updates.at(-1)?.data['text/html'])
      .to.contain('0.250000')
      .and.not.to.contain('<progress');
  });

  it('sends what JSON can hold', async () => {
    const { sent } = await inDeno(() => {
      show({ [Symbol.for('Jupyter.display')]: () => ({ 'text/plain': 'x', date: new Date(0) }) });
    });
    expect(sent[0].data).to.deep.equal({ 'text/plain': 'x', date: '1970-01-01T00:00:00.000Z' });
  });

  it('shows charts in every cell where nothing says which one runs', async () => {
    const { sent } = await inDeno(
      () => {
        const made = chart();
        show(made);
        show(made);
      },
      { inside: false },
    );
    expect(sent).to.have.length(2);
  });

  it('leaves scripts as they were', () => {
    installDisplay();
    expect(inNotebook()).to.equal(false);
  });
});
