import { type Profiler, Session } from 'node:inspector';
import path from 'node:path';

const ROOT = path.resolve(__dirname, '../../..');
/** Microseconds between two looks. */
const INTERVAL = 200;

/** Looks where the main thread is, five thousand times a second: V8's own profiler. */
export class Sampler {
  private readonly session = new Session();

  start(): void {
    this.session.connect();
    this.session.post('Profiler.enable');
    this.session.post('Profiler.setSamplingInterval', { interval: INTERVAL });
    this.session.post('Profiler.start');
  }

  /**
   * Milliseconds in each function itself, by `name file`, kernels left out: those have a clock.
   * V8's own parts are in parentheses: `(garbage collector)`, `(idle)`, and `(program)`, which is
   * what lies outside of JavaScript.
   */
  stop(): Map<string, number> {
    let profile: Profiler.Profile | undefined;
    this.session.post('Profiler.stop', (_error, result) => {
      profile = result.profile; // at once: the session is this thread's own
    });
    this.session.disconnect();
    const names = new Map<number, string | undefined>();
    for (const { id, callFrame } of profile!.nodes) names.set(id, nameOf(callFrame));
    const ms = new Map<string, number>();
    profile!.samples?.forEach((id, i) => {
      const name = names.get(id);
      if (name !== undefined) ms.set(name, (ms.get(name) ?? 0) + profile!.timeDeltas![i] / 1000);
    });
    return ms;
  }
}

function nameOf({ functionName, url }: Profiler.ProfileNode['callFrame']): string | undefined {
  if (url.startsWith('wasm:') || functionName === 'dispatch') return undefined; // dispatch: the profiler itself
  if (url.startsWith('node:')) return `node ${url.slice('node:'.length)}`;
  if (url === '') return functionName.startsWith('(') ? functionName : `${functionName} (built in)`;
  const file = path.relative(ROOT, url.replace(/^file:\/\//, ''));
  const short = file.includes('node_modules')
    ? file.replace(/.*node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+).*/, '$1')
    : file;
  return `${functionName || 'a function'} ${short}`;
}
