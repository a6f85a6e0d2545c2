import type { Page } from './chromium.js';

/** An output as it stands in a page. */
export interface ShownOutput {
  /**
   * What the picture in it is: of an interactive chart CANVAS or SVG, of a PNG IMG; empty where
   * there is none.
   */
  element: string;
  text: string;
  /** Of the picture, canvas or table in it, in pixels; 0 where there is none. */
  width: number;
  height: number;
  /** Rows of the table in it. */
  rows: number;
  /** Pixels that are neither white nor grey, in a picture or canvas. */
  coloured: number;
  /**
   * How alike the picture and the one in `expected` are, from −1 to 1; 1 where nothing is expected.
   */
  likeness: number;
  /** What a screen reader says of the picture. */
  label: string;
  /** The smallest contrast of a text of the table with what is behind it. */
  contrast: number;
}

/**
 * A script that looks at the outputs in the cells of a page. A picture is compared with another one
 * by its brightness on a grid of 48 × 32: fonts of the machine and smoothing do not matter, a
 * missing mark or axis does.
 */
const inspector = `
  const small = (image, width, height) => {
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width, height });
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.fillStyle = 'white';
    context.fillRect(0, 0, width, height);
    context.imageSmoothingQuality = 'high';
    context.drawImage(image, 0, 0, width, height);
    return context.getImageData(0, 0, width, height).data;
  };
  const grey = (image) => {
    const data = small(image, 48, 32);
    return Array.from({ length: 48 * 32 }, (_, i) => data[4 * i] + data[4 * i + 1] + data[4 * i + 2]);
  };
  const correlation = (a, b) => {
    const mean = (x) => x.reduce((s, v) => s + v, 0) / x.length;
    const [ma, mb] = [mean(a), mean(b)];
    let [ab, aa, bb] = [0, 0, 0];
    a.forEach((v, i) => { ab += (v - ma) * (b[i] - mb); aa += (v - ma) ** 2; bb += (b[i] - mb) ** 2; });
    return ab / Math.sqrt(aa * bb);
  };
  const load = (base64, type = 'image/png') => new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => reject(new Error('not a picture'));
    image.src = 'data:' + type + ';base64,' + base64;
  });
  const drawn = async (picture) => {
    if (!(picture instanceof SVGElement)) return picture;
    const text = new TextEncoder().encode(new XMLSerializer().serializeToString(picture));
    const image = await load(btoa(Array.from(text, (c) => String.fromCharCode(c)).join('')), 'image/svg+xml');
    const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height });
    canvas.getContext('2d').drawImage(image, 0, 0); // first at its size: thin lines would get lost
    return canvas;
  };
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = (rgb) => {
    const [r, g, b] = rgb.slice(0, 3).map((x) => (x / 255 <= 0.04045 ? x / 255 / 12.92 : ((x / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = channels(getComputedStyle(e).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
      if (colour[3] > 0.5) return colour;
    }
    return [255, 255, 255];
  };
  const contrast = (element) => {
    const [a, b] = [luminance(channels(getComputedStyle(element).color)), luminance(behind(element))].sort((p, q) => p - q);
    return (b + 0.05) / (a + 0.05);
  };
  const look = async (output, expected) => {
    const picture = output.querySelector('canvas, img, svg.marks');
    const table = output.querySelector('table');
    const box = (picture ?? table)?.getBoundingClientRect();
    const shown = picture && box.width > 2 && box.height > 2 ? await drawn(picture) : undefined;
    const data = shown ? small(shown, Math.round(box.width), Math.round(box.height)) : [];
    let coloured = 0;
    for (let i = 0; i < data.length; i += 4) if (Math.max(data[i], data[i + 1], data[i + 2]) - Math.min(data[i], data[i + 1], data[i + 2]) > 60) coloured++;
    const labelled = picture?.closest('[aria-label]');
    return {
      element: shown ? picture.tagName.toUpperCase() : '',
      text: output.innerText.trim(),
      width: box?.width ?? 0,
      height: box?.height ?? 0,
      rows: table ? table.querySelectorAll('tbody tr').length : 0,
      coloured,
      likeness: shown && expected ? correlation(grey(shown), grey(await load(expected))) : 1,
      label: picture?.getAttribute('alt') ?? labelled?.getAttribute('aria-label') ?? '',
      contrast: table ? Math.min(...[...table.querySelectorAll('th, td')].map(contrast)) : 21,
    };
  };
  const cells = () => [...document.querySelectorAll('.jp-CodeCell, section.cell')];
  const outputs = (cell) => [...cell.querySelectorAll('.jp-OutputArea-output, .outputs > *')];
`;

/**
 * Looks at the outputs of every code cell. `pngs`: of each cell, the picture that its first output
 * must be like.
 */
export function outputsOf(
  page: Page,
  pngs: readonly (string | undefined)[],
): Promise<ShownOutput[][]> {
  const script = `(async () => { ${inspector}
    const pngs = ${JSON.stringify(pngs)};
    return Promise.all(cells().map((cell, i) => Promise.all(outputs(cell).map((output) => look(output, pngs[i])))));
  })()`;
  return page.evaluate<ShownOutput[][]>(script);
}

/** A notebook that is open in JupyterLab or Notebook 7, whose scripts can reach the application. */
export class OpenNotebook {
  constructor(
    readonly page: Page,
    private readonly cells: number,
  ) {}

  /** Opens it, and waits until all cells are there; with `kernel`, until that is idle. */
  async open(url: string, { kernel }: { kernel: boolean }): Promise<void> {
    await this.page.goto(url);
    await this.page.until(`document.querySelectorAll('.jp-CodeCell').length === ${this.cells}`, {
      what: 'all cells are there',
    });
    // Not the circle in the toolbar: it is idle before there is a kernel.
    const idle = `(({ sessionContext: s }) => s.isReady && s.session?.kernel?.connectionStatus === 'connected' && s.session.kernel.status === 'idle')(
      window.jupyterapp.shell.currentWidget.context)`;
    if (kernel) await this.page.until(idle, { what: 'the kernel is idle', timeout: 60_000 });
    else await this.rested();
  }

  /** Starts a command of the application; what comes of it is to be waited for. */
  command(name: string, options = {}): Promise<void> {
    return this.page.evaluate(
      `void window.jupyterapp.commands.execute(${JSON.stringify(name)}, ${JSON.stringify(options)})`,
    );
  }

  async save(): Promise<void> {
    await this.command('docmanager:save');
    await this.page.until('!window.jupyterapp.shell.currentWidget.context.model.dirty', {
      what: 'the notebook is saved',
    });
  }

  /** Runs all cells and returns how many states of progress bars were seen. */
  async runAll(): Promise<number> {
    await this.page.evaluate(`(() => {
      window.bars = new Set();
      new MutationObserver(() => {
        for (const bar of document.querySelectorAll('.jp-OutputArea progress')) window.bars.add(bar.value + '/' + bar.max);
      }).observe(document.body, { subtree: true, childList: true });
    })()`);
    await this.command('notebook:run-all-cells');
    const done = `[...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].filter((e) => /\\[\\d+\\]/.test(e.textContent)).length === ${this.cells}`;
    await this.page.until(done, { what: 'all cells have run', timeout: 150_000 });
    await this.rested();
    return this.page.evaluate('window.bars.size');
  }

  /** Waits until charts are drawn: nothing has changed in the page for a while. */
  async rested(): Promise<void> {
    await this.page.evaluate(`new Promise((resolve) => {
      const still = () => { observer.disconnect(); resolve(); };
      let timer = setTimeout(still, 600);
      setTimeout(still, 15000);
      const observer = new MutationObserver(() => { clearTimeout(timer); timer = setTimeout(still, 600); });
      observer.observe(document.querySelector('.jp-Notebook') ?? document.body, { subtree: true, childList: true });
    })`);
  }

  /** Whether Jupyter trusts the outputs of all code cells. */
  trusted(): Promise<boolean> {
    return this.page.evaluate(
      `(() => { const { widgets } = window.jupyterapp.shell.currentWidget.content; return widgets.filter((w) => w.model.type === 'code').every((w) => w.model.trusted); })()`,
    );
  }
}
