// The output of a cell on its way to the front ends. Consecutive prints become one message: a loop
// of 2,000 prints would otherwise make 2,000 messages, which nbconvert keeps as 2,000 outputs. And
// output is limited: a loop that prints for ever would freeze the browser and make a file that
// cannot be opened.
import { clearTimeout, setTimeout } from 'node:timers'; // a cell may replace the global ones
import type { DisplayContent, JupyterModule, WriteDisplay } from './tslab.js';

const MAX_AGE_MS = 50; // text waits no longer than this: printing still looks live
const MAX_CHARS = 65_536;
/**
 * The most that a cell prints and shows; beyond that, its end is sent when the cell has ended.
 * `shown` counts the characters of pictures and the like; each of them also counts as a line.
 */
const MOST = { chars: 1_000_000, lines: 20_000, shown: 50_000_000 };
const TAIL = { chars: 4_000, lines: 20 };
const GOES_ON_MS = 60_000;
/** Updates of displays, which replace each other: at most so many at once, and then a second. */
const UPDATES = { burst: 500, rate: 20 };

const number = (n: number): string => n.toLocaleString('en-US');
const most = `${number(MOST.lines)} lines or ${number(MOST.chars)} characters`;

export type StreamName = 'stdout' | 'stderr';
type Write = typeof process.stdout.write;

/** The output of one cell. */
export class Output {
  private name: StreamName = 'stdout';
  private text = ''; // waits to be sent
  private since = 0;
  private timer: NodeJS.Timeout | undefined;
  private readonly decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  private readonly count = { chars: 0, lines: 0, shown: 0 };
  private over = false; // the limit is exceeded
  private rest: { text: string; display?: DisplayContent } = { text: '' }; // the end of what was not sent
  private said = 0; // when it was last said that the cell goes on
  private readonly updates = new Map<string | undefined, DisplayContent>(); // that wait, by display id
  private updateTimer: NodeJS.Timeout | undefined;
  private readonly allowed = { updates: UPDATES.burst, at: performance.now() };

  /**
   * @param sendText sends one stream message
   * @param sendDisplay sends one display_data, update_display_data or execute_result message
   */
  constructor(
    private readonly sendText: (name: StreamName, text: string) => void,
    private readonly sendDisplay: WriteDisplay,
  ) {}

  print(name: StreamName, text: string): void {
    if (text === '') return;
    if (this.over) {
      this.keep(name, text);
      return;
    }
    const fits = this.fitting(text);
    this.add(name, text.slice(0, fits));
    if (fits < text.length) {
      this.exceed();
      this.keep(name, text.slice(fits));
    }
  }

  /** How many characters of a text can be sent. Counts them and their lines. */
  private fitting(text: string): number {
    const { count } = this;
    const room = Math.min(text.length, MOST.chars - count.chars);
    let end = -1;
    while (count.lines < MOST.lines) {
      const at = text.indexOf('\n', end + 1);
      if (at < 0 || at >= room) break;
      count.lines++;
      end = at;
    }
    const fits = count.lines < MOST.lines ? room : end + 1;
    count.chars += fits;
    return fits;
  }

  private add(name: StreamName, text: string): void {
    if (text === '') return;
    if (this.text !== '' && name !== this.name) this.flush();
    if (this.text === '') {
      this.name = name;
      this.since = performance.now();
    }
    this.text += text;
    // A timer cannot fire within a synchronous loop, so the age is looked at here as well.
    if (this.text.length >= MAX_CHARS || performance.now() - this.since > MAX_AGE_MS) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), MAX_AGE_MS);
  }

  /** Shows something. A `result`, which the cell ends with, is sent in any case. */
  display(content: DisplayContent, update?: boolean, result?: boolean): void {
    this.flush();
    if (result) {
      this.finish();
      this.sendDisplay(content, false, true);
      return;
    }
    const id = content.transient?.display_id;
    if (update && this.rest.display?.transient?.display_id !== id) {
      this.update(id, content);
      return;
    }
    this.count.lines++;
    for (const data of Object.values(content.data ?? {}))
      if (typeof data === 'string') this.count.shown += data.length;
    const isTooMuch = this.count.lines > MOST.lines || this.count.shown > MOST.shown;
    if (!this.over && isTooMuch) this.exceed();
    if (this.over) this.rest.display = content;
    else this.sendDisplay(content);
  }

  /**
   * Replaces a display: at once, or a moment later where that is done more often than the eye can
   * follow.
   */
  private update(id: string | undefined, content: DisplayContent): void {
    const { allowed } = this;
    const now = performance.now();
    const regained = ((now - allowed.at) / 1000) * UPDATES.rate;
    allowed.updates = Math.min(UPDATES.burst, allowed.updates + regained);
    allowed.at = now;
    this.updates.set(id, content);
    if (allowed.updates >= 1) this.sendUpdates();
    else this.updateTimer ??= setTimeout(() => this.sendUpdates(), 1000 / UPDATES.rate);
  }

  private sendUpdates(): void {
    clearTimeout(this.updateTimer);
    this.updateTimer = undefined;
    const updates = [...this.updates.values()];
    this.updates.clear();
    this.allowed.updates -= updates.length;
    for (const content of updates) this.sendDisplay(content, true);
  }

  /** Sends nothing more until the cell has ended. */
  private exceed(): void {
    this.over = true;
    this.said = performance.now();
    this.flush();
    this.sendText(
      'stderr',
      `\n… A cell shows at most ${most}: of what follows, only the end is shown, when the cell has ended.\n`,
    );
  }

  /** Keeps the end of what is not sent, and says once a minute that the cell goes on. */
  private keep(name: StreamName, text: string): void {
    const { count, rest } = this;
    count.chars += text.length;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count.lines++;
    this.name = name;
    rest.text += text.slice(-TAIL.chars);
    if (rest.text.length > 10 * TAIL.chars) rest.text = rest.text.slice(-TAIL.chars);
    if (performance.now() - this.said < GOES_ON_MS) return;
    this.said = performance.now();
    this.sendText('stderr', `… ${number(count.lines)} lines so far. The cell goes on.\n`);
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { text } = this;
    this.text = '';
    if (text !== '') this.sendText(this.name, text);
  }

  /** The cell has ended: sends what waits, and the end of what was too much. */
  finish(): void {
    this.flush();
    this.sendUpdates();
    const { text, display } = this.rest;
    this.rest = { text: '' };
    if (text === '' && !display) return;
    const { lines, chars } = this.count;
    const all = `${number(lines)} line${lines === 1 ? '' : 's'} in all, ${number(chars)} characters`;
    this.sendText('stderr', `… ${all}. The end:\n`);
    const tail = text.slice(-TAIL.chars).split(/(?<=\n)/);
    if (text !== '') this.sendText(this.name, tail.slice(-TAIL.lines).join(''));
    if (display) this.sendDisplay(display);
  }

  /**
   * A replacement of process.stdout.write or process.stderr.write. It calls back as the original
   * does: streams that are piped into it wait for that.
   */
  private writer(name: StreamName): Write {
    return (chunk: string | Uint8Array, encoding?: unknown, callback?: unknown) => {
      const isText = typeof chunk === 'string';
      this.print(name, isText ? chunk : this.decoders[name].decode(chunk, { stream: true }));
      const done = typeof encoding === 'function' ? encoding : callback;
      if (typeof done === 'function') process.nextTick(done);
      return true;
    };
  }

  /** Makes this the place where everything that is printed or shown goes. */
  install(jupyter: JupyterModule): void {
    process.stdout.write = this.writer('stdout');
    process.stderr.write = this.writer('stderr');
    jupyter.lastWriteDisplayData = (...args) => this.display(...args);
  }
}

/** Cuts a text to what a cell shows at most. */
export function cut(text: string): string {
  if (text.length <= MOST.chars) return text;
  return `${text.slice(0, MOST.chars)}\n… ${number(text.length)} characters in all. A cell shows at most ${number(MOST.chars)}.`;
}
