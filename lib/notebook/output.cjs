// What a cell prints and shows, on its way to the front ends. Consecutive prints become one message: a loop of 2,000 prints would otherwise make 2,000
// messages, which nbconvert keeps as 2,000 separate outputs. And there is an end to it: a loop that prints for ever would freeze the browser, and make a file
// that nobody can open. Used by the launcher and by the repair at import.
const { clearTimeout, setTimeout } = require('node:timers'); // a cell may put others in the place of the global ones

const MAX_AGE_MS = 50; // text waits no longer than this: printing still looks live
const MAX_CHARS = 65_536;
/** What one cell prints and shows at most: beyond that only the end is sent, when the cell has ended. */
const MOST = { chars: 1_000_000, lines: 20_000, shown: 50_000_000 }; // `shown`: characters of pictures and the like; each of them counts as a line
const TAIL = { chars: 4_000, lines: 20 };

const number = (n) => n.toLocaleString('en-US');
const most = `${number(MOST.lines)} lines or ${number(MOST.chars)} characters`;

class Output {
  /**
   * @param {(name: string, text: string) => void} sendText sends one stream message, name 'stdout' or 'stderr'
   * @param {(content: object, update?: boolean, result?: boolean) => void} sendDisplay sends one display_data, update_display_data or execute_result message
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
    this.ids = new Set(); // of displays that were sent
    this.rest = { text: '', display: undefined, updates: new Map() }; // the end of what was not
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
    for (let at = text.indexOf('\n'); at >= 0 && at < room && count.lines < MOST.lines; at = text.indexOf('\n', at + 1)) {
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
    this.count.lines++;
    for (const data of Object.values(content.data ?? {})) if (typeof data === 'string') this.count.shown += data.length;
    if (!this.over && (this.count.lines > MOST.lines || this.count.shown > MOST.shown)) this.exceed();
    if (!this.over) {
      this.ids.add(id);
      this.sendDisplay(content, update);
    } else if (update && this.ids.has(id)) this.rest.updates.set(id, content);
    else this.rest.display = content;
  }

  /** Nothing more is sent for now. */
  exceed() {
    this.over = true;
    this.flush();
    this.sendText('stderr', `\n… A cell shows at most ${most}: of what follows, only the end is shown, when the cell has ended.\n`);
  }

  keep(name, text) {
    const { count, rest } = this;
    count.chars += text.length;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count.lines++;
    this.name = name;
    rest.text += text.slice(-TAIL.chars);
    if (rest.text.length > 10 * TAIL.chars) rest.text = rest.text.slice(-TAIL.chars);
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
    const { text, display, updates } = this.rest;
    this.rest = { text: '', display: undefined, updates: new Map() };
    for (const content of updates.values()) this.sendDisplay(content, true);
    if (text === '' && !display) return;
    const { lines, chars } = this.count;
    this.sendText('stderr', `… ${number(lines)} line${lines === 1 ? '' : 's'} in all, ${number(chars)} characters. The end:\n`);
    const tail = text
      .slice(-TAIL.chars)
      .split(/(?<=\n)/)
      .slice(-TAIL.lines);
    if (text !== '') this.sendText(this.name, tail.join(''));
    if (display) this.sendDisplay(display);
  }

  /** A replacement of process.stdout.write or process.stderr.write, which calls back as the original does: streams piped into it wait for that. */
  writer(name) {
    return (chunk, encoding, callback) => {
      this.print(name, typeof chunk === 'string' ? chunk : this.partial[name].decode(chunk, { stream: true }));
      const done = typeof encoding === 'function' ? encoding : callback;
      if (done) process.nextTick(done);
      return true;
    };
  }

  /** Makes this the place where everything that is printed or shown goes. */
  install(jupyter) {
    process.stdout.write = this.writer('stdout');
    process.stderr.write = this.writer('stderr');
    jupyter.lastWriteDisplayData = (content, update, result) => this.display(content, update, result);
  }
}

/** A text of which no more is shown than a cell shows. */
function cut(text) {
  if (text.length <= MOST.chars) return text;
  return `${text.slice(0, MOST.chars)}\n… ${number(text.length)} characters in all. A cell shows at most ${number(MOST.chars)}.`;
}

module.exports = { Output, cut };
