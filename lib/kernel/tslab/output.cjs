// What a cell prints and shows, on its way to the front ends. Consecutive prints become one
// message: a loop of 2,000 prints would otherwise make 2,000 messages, which nbconvert keeps as
// 2,000 separate outputs. And there is an end to it: a loop that prints for ever would freeze the
// browser, and make a file that nobody can open. Used by the launcher and by the repair at import.
const { clearTimeout, setTimeout } = require('node:timers'); // a cell may put others in the place of the global ones

const MAX_AGE_MS = 50; // text waits no longer than this: printing still looks live
const MAX_CHARS = 65_536;
/**
 * What one cell prints and shows at most: beyond that only the end is sent, when the cell has
 * ended; and now and then that it goes on.
 */
const MOST = { chars: 1_000_000, lines: 20_000, shown: 50_000_000 }; // `shown`: characters of pictures and the like; each of them counts as a line
const TAIL = { chars: 4_000, lines: 20 };
const GOES_ON_MS = 60_000;
/**
 * Updates of what is shown, which take the place of each other: so many at once, and so many a
 * second.
 */
const UPDATES = { burst: 500, rate: 20 };

const number = (n) => n.toLocaleString('en-US');
const most = `${number(MOST.lines)} lines or ${number(MOST.chars)} characters`;

class Output {
  /**
   * @param {(name: string, text: string) => void} sendText sends one stream message, name 'stdout'
   *   or 'stderr'
   * @param {(content: object, update?: boolean, result?: boolean) => void} sendDisplay sends one
   *   display_data, update_display_data or execute_result message
   */
  constructor(sendText, sendDisplay) {
    this.sendText = sendText;
    this.sendDisplay = sendDisplay;
    this.name = 'stdout';
    this.text = '';
    this.since = 0;
    this.timer = undefined;
    this.partial = { stdout: new TextDecoder(), stderr: new TextDecoder() };
    this.count = { chars: 0, lines: 0, shown: 0 }; // of all that was printed and shown
    this.over = false; // it is too much
    this.rest = { text: '', display: undefined }; // the end of what was not sent
    this.said = 0; // when it was said that the cell goes on
    this.updates = new Map(); // that wait, by the id of their display
    this.updateTimer = undefined;
    this.allowed = { updates: UPDATES.burst, at: performance.now() };
  }

  print(name, text) {
    if (text === '') return;
    if (this.over) return this.keep(name, text);
    const fits = this.fitting(text);
    this.add(name, text.slice(0, fits));
    if (fits < text.length) {
      this.exceed();
      this.keep(name, text.slice(fits));
    }
  }

  /** Characters of the text that can be sent. Counts the lines of these. */
  fitting(text) {
    const { count } = this;
    const room = Math.min(text.length, MOST.chars - count.chars);
    let end = -1;
    for (
      let at = text.indexOf('\n');
      at >= 0 && at < room && count.lines < MOST.lines;
      at = text.indexOf('\n', at + 1)
    ) {
      count.lines++;
      end = at;
    }
    const fits = count.lines < MOST.lines ? room : end + 1;
    count.chars += fits;
    return fits;
  }

  add(name, text) {
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

  /** `result`: it is what the cell ends with, and so is sent in any case. */
  display(content, update, result) {
    this.flush();
    if (result) {
      this.finish();
      return this.sendDisplay(content, false, true);
    }
    const id = content.transient?.display_id;
    if (update && this.rest.display?.transient?.display_id !== id) return this.update(id, content);
    this.count.lines++;
    for (const data of Object.values(content.data ?? {}))
      if (typeof data === 'string') this.count.shown += data.length;
    if (!this.over && (this.count.lines > MOST.lines || this.count.shown > MOST.shown))
      this.exceed();
    if (this.over) this.rest.display = content;
    else this.sendDisplay(content);
  }

  /** A display is replaced: at once, unless that is done so often that nobody could see it. */
  update(id, content) {
    const { allowed } = this;
    const now = performance.now();
    allowed.updates = Math.min(
      UPDATES.burst,
      allowed.updates + ((now - allowed.at) / 1000) * UPDATES.rate,
    );
    allowed.at = now;
    this.updates.set(id, content);
    if (allowed.updates >= 1) this.sendUpdates();
    else this.updateTimer ??= setTimeout(() => this.sendUpdates(), 1000 / UPDATES.rate);
  }

  sendUpdates() {
    clearTimeout(this.updateTimer);
    this.updateTimer = undefined;
    const updates = [...this.updates.values()];
    this.updates.clear();
    this.allowed.updates -= updates.length;
    for (const content of updates) this.sendDisplay(content, true);
  }

  /** Nothing more is sent for now. */
  exceed() {
    this.over = true;
    this.said = performance.now();
    this.flush();
    this.sendText(
      'stderr',
      `\n… A cell shows at most ${most}: of what follows, only the end is shown, when the cell has ended.\n`,
    );
  }

  keep(name, text) {
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

  flush() {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { text } = this;
    this.text = '';
    if (text !== '') this.sendText(this.name, text);
  }

  /** The cell has ended: what waits is sent, and the end of what was too much. */
  finish() {
    this.flush();
    this.sendUpdates();
    const { text, display } = this.rest;
    this.rest = { text: '', display: undefined };
    if (text === '' && !display) return;
    const { lines, chars } = this.count;
    this.sendText(
      'stderr',
      `… ${number(lines)} line${lines === 1 ? '' : 's'} in all, ${number(chars)} characters. The end:\n`,
    );
    const tail = text
      .slice(-TAIL.chars)
      .split(/(?<=\n)/)
      .slice(-TAIL.lines);
    if (text !== '') this.sendText(this.name, tail.join(''));
    if (display) this.sendDisplay(display);
  }

  /**
   * A replacement of process.stdout.write or process.stderr.write, which calls back as the original
   * does: streams piped into it wait for that.
   */
  writer(name) {
    return (chunk, encoding, callback) => {
      this.print(
        name,
        typeof chunk === 'string' ? chunk : this.partial[name].decode(chunk, { stream: true }),
      );
      const done = typeof encoding === 'function' ? encoding : callback;
      if (done) process.nextTick(done);
      return true;
    };
  }

  /** Makes this the place where everything that is printed or shown goes. */
  install(jupyter) {
    process.stdout.write = this.writer('stdout');
    process.stderr.write = this.writer('stderr');
    jupyter.lastWriteDisplayData = (content, update, result) =>
      this.display(content, update, result);
  }
}

/** A text of which no more is shown than a cell shows. */
function cut(text) {
  if (text.length <= MOST.chars) return text;
  return `${text.slice(0, MOST.chars)}\n… ${number(text.length)} characters in all. A cell shows at most ${number(MOST.chars)}.`;
}

module.exports = { Output, cut };
