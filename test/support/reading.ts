import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Page } from './chromium.js';

/** How somebody looks at a page. */
export interface Look {
  width?: number;
  height?: number;
  scheme?: 'light' | 'dark';
  media?: 'screen' | 'print';
}

const still = { name: 'prefers-reduced-motion', value: 'reduce' }; // nobody waits for pages that glide

/**
 * Sets the window and the reader's wishes: 1280 × 900, light, on a screen, unless said otherwise.
 */
export async function look(
  page: Page,
  { width = 1280, height = 900, scheme = 'light', media = 'screen' }: Look,
): Promise<void> {
  await page.send('Emulation.setDeviceMetricsOverride', {
    width,
    height,
    deviceScaleFactor: 1,
    mobile: false,
  });
  await page.send('Emulation.setScrollbarsHidden', { hidden: media === 'print' });
  await page.send('Emulation.setEmulatedMedia', {
    media,
    features: [{ name: 'prefers-color-scheme', value: scheme }, still],
  });
  await page.evaluate(
    'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))',
  );
}

const keys: Record<string, { code: number; text?: string }> = {
  Tab: { code: 9 },
  Enter: { code: 13, text: '\r' },
  Escape: { code: 27 },
  End: { code: 35 },
  Home: { code: 36 },
  ArrowLeft: { code: 37 },
  ArrowRight: { code: 39 },
};

/** Presses keys, one after another, as the keyboard does. */
export async function press(page: Page, ...names: string[]): Promise<void> {
  for (const key of names) {
    const { code, text } = keys[key];
    const event = { key, code: key, windowsVirtualKeyCode: code };
    await page.send('Input.dispatchKeyEvent', {
      type: text ? 'keyDown' : 'rawKeyDown',
      text,
      ...event,
    });
    await page.send('Input.dispatchKeyEvent', { type: 'keyUp', ...event });
  }
}

/**
 * Moves the pointer to the middle of an element, which is scrolled into view; with `click`, clicks
 * there.
 */
export async function point(page: Page, selector: string, { click = false } = {}): Promise<void> {
  const { x, y } = await page.evaluate<{ x: number; y: number }>(`(async () => {
    const element = document.querySelector(${JSON.stringify(selector)});
    element.scrollIntoView({ block: 'center', behavior: 'instant' });
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))); // so that the page has heard of it
    const { left, top, width, height } = element.getBoundingClientRect();
    return { x: left + width / 2, y: top + height / 2 };
  })()`);
  await page.send('Input.dispatchMouseEvent', { type: 'mouseMoved', x: x - 1, y });
  await page.send('Input.dispatchMouseEvent', { type: 'mouseMoved', x, y });
  for (const type of click ? ['mousePressed', 'mouseReleased'] : []) {
    await page.send('Input.dispatchMouseEvent', { type, x, y, button: 'left', clickCount: 1 });
  }
}

/**
 * What axe finds wrong, of every impact:
 * `impact, rule (how many): the first place, and what to do`.
 * @param options.rules those to look for; default: all
 * @param options.without elements, by a selector, that are not looked into
 */
export async function axe(
  page: Page,
  { rules, without = 'script' }: { rules?: readonly string[]; without?: string } = {},
): Promise<string[]> {
  if (!(await page.evaluate('Boolean(window.axe)')))
    await page.evaluate(`${readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')};0`);
  const options = {
    resultTypes: ['violations'],
    ...(rules && { runOnly: { type: 'rule', values: rules } }),
  };
  return page.evaluate<
    string[]
  >(`axe.run({ exclude: [${JSON.stringify(without)}] }, ${JSON.stringify(options)}).then(({ violations }) => violations.map(({ impact, id, nodes }) =>
    impact + ', ' + id + ' (' + nodes.length + '): ' + nodes[0].html.slice(0, 200) + ' ' + nodes[0].failureSummary))`);
}

/**
 * A picture of a page: of 1,600 pixels from a little above the first chart, or at half its size of
 * the whole.
 */
export async function takePicture(page: Page, file: string, { whole = false } = {}): Promise<void> {
  const [width, all, top] = await page.evaluate<
    number[]
  >(`[document.documentElement.clientWidth, document.documentElement.scrollHeight,
    scrollY + (document.querySelector('figure.chart')?.getBoundingClientRect().top ?? 0)]`);
  const y = whole ? 0 : Math.max(0, Math.min(top - 400, all - 1600));
  const clip = {
    x: 0,
    y,
    width,
    height: whole ? all : Math.min(1600, all),
    scale: whole ? 0.5 : 1,
  };
  const { data } = await page.send('Page.captureScreenshot', {
    format: 'png',
    captureBeyondViewport: true,
    clip,
  });
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, Buffer.from(String(data), 'base64'));
}
