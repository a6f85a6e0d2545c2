// The client of a server of lists: REQUESTS CLIENTS USERS COMMAND … starts the server, which prints
// its port, and asks it for lists of ten: first one request at a time, then several.
import { spawn } from 'node:child_process';
import { Agent, get } from 'node:http';
import { createInterface } from 'node:readline';
import { Random } from '../../../lib/recital/compute/random.js';
import { report } from '../support/process.js';

const [requests, clients, users] = process.argv.slice(2, 5).map(Number);
const [command, ...args] = process.argv.slice(5);

/** A process on one core; where there is no taskset, wherever the system puts it. */
function startServer(): ReturnType<typeof spawn> {
  const stdio: ['ignore', 'pipe', 'inherit'] = ['ignore', 'pipe', 'inherit'];
  return process.platform === 'linux'
    ? spawn('taskset', ['-c', '0', command, ...args], { stdio })
    : spawn(command, args, { stdio });
}

async function run(): Promise<void> {
  const server = startServer();
  try {
    const port = await new Promise<number>((resolve, reject) => {
      createInterface(server.stdout!).once('line', (line) => resolve(Number(line)));
      server.once('exit', (code) => reject(new Error(`The server ended with ${code}.`)));
    });
    const agent = new Agent({ keepAlive: true, maxSockets: clients });
    const random = new Random(1);
    const ask = (): Promise<number> =>
      new Promise((resolve, reject) => {
        const started = performance.now();
        const path = `/recommend?user=${random.int(users)}&n=10`;
        get({ host: '127.0.0.1', port, path, agent }, (answer) => {
          let text = '';
          answer.on('data', (part) => (text += part));
          answer.on('end', () => {
            const { tracks } = JSON.parse(text) as { tracks: unknown[] };
            if (tracks.length === 10) resolve(performance.now() - started);
            else reject(new Error(`A list of ten was expected, got ${text.slice(0, 200)}`));
          });
        }).on('error', reject);
      });
    const many = async (n: number, at: number): Promise<number[]> => {
      const times: number[] = [];
      let left = n;
      const client = async (): Promise<void> => {
        while (left-- > 0) times.push(await ask());
      };
      await Promise.all(Array.from({ length: at }, client));
      return times.sort((a, b) => a - b);
    };
    await many(Math.ceil(requests / 10), clients);
    const alone = await many(requests, 1);
    const started = performance.now();
    const together = await many(requests, clients);
    const seconds = (performance.now() - started) / 1000;
    const at = (times: number[], share: number): number =>
      times[Math.min(times.length - 1, Math.floor(share * times.length))];
    report({
      aloneP50: at(alone, 0.5),
      aloneP99: at(alone, 0.99),
      p50: at(together, 0.5),
      p99: at(together, 0.99),
      perSecond: requests / seconds,
    });
  } finally {
    server.kill();
  }
}

void run().catch((error) => {
  console.error((error as Error).message);
  process.exitCode = 1;
});
