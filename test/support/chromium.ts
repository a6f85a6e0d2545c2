import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

const names = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'chrome',
  'microsoft-edge',
];

/**
 * The browser of the environment variable CHROMIUM, or one of the PATH; undefined if there is none.
 */
export function findChromium(): string | undefined {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

type Answer = Record<string, unknown>;
interface Message {
  id?: number;
  sessionId?: string;
  method?: string;
  params?: Answer;
  result?: Answer;
  error?: { message: string };
}

const ANSWER_MS = 60_000; // the longest that a command may take

/**
 * A headless Chromium, driven by the DevTools protocol over a pipe: no port, no package. It reaches
 * this machine alone.
 */
export class Chromium {
  private readonly pending = new Map<
    number,
    { resolve: (result: Answer) => void; reject: (error: Error) => void; method: string }
  >();
  private readonly listeners: ((message: Message) => void)[] = [];
  private sent = 0;
  private ended: Error | undefined;

  private constructor(
    private readonly process: ChildProcess,
    private readonly profile: string,
  ) {
    const input = process.stdio[4] as Readable;
    let rest = '';
    input.setEncoding('utf8').on('data', (text: string) => {
      const parts = (rest + text).split('\0');
      rest = parts.pop() ?? '';
      for (const part of parts) this.receive(JSON.parse(part) as Message);
    });
    process.on('error', (error) => this.end(error));
    process.on('exit', (code, signal) =>
      this.end(new Error(`Chromium ended (${signal ?? code}).`)),
    );
    (process.stdio[3] as Writable).on('error', () => {}); // what is asked of one that has ended is refused below
  }

  static launch(program: string): Chromium {
    const profile = mkdtempSync(join(tmpdir(), 'recital-chromium-'));
    const flags = [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
      '--no-proxy-server',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
      '--force-color-profile=srgb',
      '--remote-debugging-pipe',
      `--user-data-dir=${profile}`,
      'about:blank',
    ];
    return new Chromium(
      spawn(program, flags, {
        stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
        env: { ...process.env, HOME: profile },
      }),
      profile,
    );
  }

  private receive(message: Message): void {
    const asked = message.id === undefined ? undefined : this.pending.get(message.id);
    if (!asked) {
      for (const listener of this.listeners) listener(message);
      return;
    }
    this.pending.delete(message.id!);
    if (message.error) asked.reject(new Error(`${asked.method}: ${message.error.message}`));
    else asked.resolve(message.result ?? {});
  }

  private end(error: Error): void {
    this.ended = error;
    for (const { reject } of this.pending.values()) reject(error);
    this.pending.clear();
  }

  /** Sends a command of the protocol and returns its result. */
  send(method: string, params: Answer = {}, sessionId?: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.ended) return reject(this.ended);
      const id = ++this.sent;
      const timer = setTimeout(() => {
        this.pending.delete(id);
        reject(
          new Error(
            `${method}: no answer within ${ANSWER_MS / 1000} s. ${JSON.stringify(params).slice(0, 300)}`,
          ),
        );
      }, ANSWER_MS);
      const over = <T>(then: (value: T) => void) => {
        return (value: T): void => {
          clearTimeout(timer);
          then(value);
        };
      };
      this.pending.set(id, { resolve: over(resolve), reject: over(reject), method });
      (this.process.stdio[3] as Writable).write(
        `${JSON.stringify({ id, method, params, sessionId })}\0`,
      );
    });
  }

  /** Opens a page of this size, in pixels. */
  async page(size: { width: number; height: number }): Promise<Page> {
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true });
    const page = new Page((method, params) => this.send(method, params, String(sessionId)));
    this.listeners.push((message) => {
      if (message.sessionId === sessionId && message.method)
        page.receive(message.method, message.params ?? {});
    });
    await page.prepare(size);
    return page;
  }

  async close(): Promise<void> {
    const gone = new Promise<void>((resolve) => {
      if (this.process.exitCode !== null || this.process.signalCode !== null) resolve();
      else this.process.once('exit', () => resolve());
    });
    void this.send('Browser.close').catch(() => {});
    const timer = setTimeout(() => this.process.kill('SIGKILL'), 5000);
    await gone;
    clearTimeout(timer);
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

/** A page of the browser. */
export class Page {
  /** Addresses that were asked for outside of this machine. All of them have failed. */
  readonly outside: string[] = [];
  /** All addresses that were asked for, but those that hold what they name. */
  readonly asked: string[] = [];
  /** Errors of the page's scripts, and what they wrote to the console as one. */
  readonly errors: string[] = [];
  private loaded = 0;

  /** @param send sends a command of the protocol to this page, and returns its result */
  constructor(readonly send: (method: string, params?: Answer) => Promise<Answer>) {}

  async prepare({ width, height }: { width: number; height: number }): Promise<void> {
    await Promise.all(
      ['Page', 'Network', 'Runtime'].map((domain) => this.send(`${domain}.enable`)),
    );
    await this.send('Emulation.setDeviceMetricsOverride', {
      width,
      height,
      deviceScaleFactor: 1,
      mobile: false,
    });
  }

  receive(method: string, params: Answer): void {
    if (method === 'Page.loadEventFired') this.loaded++;
    if (method === 'Page.javascriptDialogOpening')
      void this.send('Page.handleJavaScriptDialog', { accept: true }); // e.g. on leaving what is not saved
    if (method === 'Network.requestWillBeSent') {
      const { url } = params.request as { url: string };
      if (!/^(data|blob|about):/.test(url)) this.asked.push(url);
      if (!/^(data|blob|file|about):|^(https?|wss?):\/\/(localhost|127\.0\.0\.1)[:/]/.test(url))
        this.outside.push(url);
    }
    if (method === 'Runtime.exceptionThrown') {
      const { text, exception } = params.exceptionDetails as {
        text: string;
        exception?: { description?: string };
      };
      this.errors.push(exception?.description ?? text);
    }
    if (method === 'Runtime.consoleAPICalled' && params.type === 'error') {
      this.errors.push(
        (params.args as { value?: unknown; description?: string }[])
          .map(({ value, description }) => String(value ?? description))
          .join(' '),
      );
    }
  }

  /** Opens an address, and waits until it is loaded. */
  async goto(url: string): Promise<void> {
    const before = this.loaded;
    const { errorText } = await this.send('Page.navigate', { url });
    if (errorText) throw new Error(`${url}: ${errorText}`);
    for (let waited = 0; this.loaded === before; waited += 20) {
      if (waited > 30_000) throw new Error(`${url} was not loaded within 30 s.`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** What an expression is, in the page: JSON, or a promise of it. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails) {
      const { text, exception } = exceptionDetails as {
        text: string;
        exception?: { description?: string };
      };
      throw new Error(`In the page: ${exception?.description ?? text}`);
    }
    return (result as { value: T }).value;
  }

  /** Waits until an expression is true, or something else that is not falsy, and returns it. */
  async until<T>(expression: string, { timeout = 30_000, what = expression } = {}): Promise<T> {
    const end = Date.now() + timeout;
    for (;;) {
      const value = await this.evaluate<T>(expression).catch(() => undefined); // while a page is loaded there may be nothing to ask
      if (value) return value;
      if (Date.now() > end) throw new Error(`Waited ${timeout / 1000} s in vain: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Lets the page believe that the reader prefers dark pages, or light ones. */
  async prefer(scheme: 'dark' | 'light'): Promise<void> {
    await this.send('Emulation.setEmulatedMedia', {
      features: [{ name: 'prefers-color-scheme', value: scheme }],
    });
  }

  /** What the page looks like, as PNG. */
  async screenshot(file: string): Promise<void> {
    const { data } = await this.send('Page.captureScreenshot', { format: 'png' });
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, Buffer.from(String(data), 'base64'));
  }

  async close(): Promise<void> {
    await this.send('Page.close');
  }
}
