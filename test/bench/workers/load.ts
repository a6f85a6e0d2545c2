// Reading plays by this library, in a process of its own: FILE first|again. "first" removes the
// cache beside the file.
import { rmSync } from 'node:fs';
import path from 'node:path';
import { readPlays } from '../../../lib/recital/data/files/read-plays.js';
import { report } from '../support/process.js';

async function run([file, which]: string[]): Promise<void> {
  if (which === 'first')
    rmSync(path.join(path.dirname(file), '.cache'), { recursive: true, force: true });
  const start = performance.now();
  const plays = await readPlays(file);
  const seconds = (performance.now() - start) / 1000;
  report({ seconds, rows: plays.length, users: plays.users.length, tracks: plays.tracks.length });
}

void run(process.argv.slice(2));
