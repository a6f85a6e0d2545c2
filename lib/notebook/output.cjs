// What a cell prints and shows, on its way to the front ends. Consecutive prints become one message: a loop of 2,000 prints would otherwise make 2,000
// messages, which nbconvert keeps as 2,000 separate outputs. Used by the launcher and by the repair at import.

const MAX_AGE_MS = 50; // text waits no longer than this: printing still looks live
const MAX_CHARS = 65_536;

class Output {
  /**
   * @param {(name: string, text: string) => void} sendText sends one stream message, name 'stdout' or 'stderr'
   * @param {(content: object, update?: boolean) => void} sendDisplay sends one display_data or update_display_data message
   */
  constructor(sendText, sendDisplay) {
    this.sendText = sendText;
    this.sendDisplay = sendDisplay;
    this.name = 'stdout';
    this.text = '';
    this.since = 0;
    this.timer = undefined;
    this.partial = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  }

  print(name, text) {
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

  display(content, update) {
    this.flush();
    this.sendDisplay(content, update);
  }

  flush() {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { text } = this;
    this.text = '';
    if (text !== '') this.sendText(this.name, text);
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
    jupyter.lastWriteDisplayData = (content, update) => this.display(content, update);
  }
}

module.exports = { Output };
