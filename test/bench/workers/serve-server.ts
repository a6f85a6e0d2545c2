// A server of lists by this library: DIR USERS TRACKS FACTORS. Prints its port.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FactorRecommender, Plays, setCompute } from '../../../lib/recital/index.js';
import { serve } from '../../../lib/recital/serve/serve.js';

const [dir, users, tracks, factors] = process.argv.slice(2);
const read = (name: string): ArrayBuffer => {
  const { buffer, byteOffset, byteLength } = readFileSync(`${dir}/${name}`);
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
};
const ids = (n: string): string[] => Array.from({ length: Number(n) }, (_, i) => String(i));
const matrix = (name: string, n: string) => {
  const all = new Float32Array(read(name));
  return { ids: ids(n), values: all, width: Number(factors) };
};

setCompute({ threads: 1 });
const seen = new Int32Array(read('seen.i32'));
const plays = Plays.fromColumns({
  user: Array.from(seen, (_, i) => String(Math.floor(i / 50))),
  track: Array.from(seen, String),
  playcount: new Float32Array(seen.length).fill(1),
});
const { ids: userIds, values: userValues } = matrix('users.f32', users);
const { ids: trackIds, values: trackValues } = matrix('tracks.f32', tracks);
const recommender = FactorRecommender.fromFactors(
  {
    users: { ids: userIds, values: userValues },
    tracks: { ids: trackIds, values: trackValues },
  },
  { plays },
);
const service = serve(recommender);
const server = createServer(async ({ method, url, headers }, outgoing) => {
  const init = { method, headers } as RequestInit;
  const answer = await service.fetch(new Request(`http://localhost${url}`, init));
  outgoing.setHeaders(answer.headers);
  outgoing.statusCode = answer.status;
  outgoing.end(await answer.text());
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
