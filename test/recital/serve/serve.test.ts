import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { Plays } from '../../../lib/recital/data/plays.js';
import { Popularity } from '../../../lib/recital/recommend/baselines/popularity.js';
import { ALS } from '../../../lib/recital/recommend/factors/als.js';
import { UserKNN } from '../../../lib/recital/recommend/neighbours/knn.js';
import { Recommender } from '../../../lib/recital/recommend/recommender.js';
import { type ServeOptions, type Service, serve } from '../../../lib/recital/serve/serve.js';

const plays = Plays.fromRows(
  Array.from({ length: 240 }, (_, i) => {
    const [u, t] = [i % 40, Math.floor(i / 40)];
    return { user: `u${u}`, track: `t${(7 * u + t * t) % 30}`, playcount: 1 + t };
  }),
);

interface Answer {
  status: number;
  body: Record<string, unknown> & { tracks: Record<string, unknown>[] };
  headers: Headers;
}

describe('serve', () => {
  let als: ALS;
  const service = (options: ServeOptions = {}): Service => serve(als, options);
  const ask = async (
    { fetch }: Service,
    path: string,
    init: RequestInit & { json?: unknown } = {},
  ): Promise<Answer> => {
    const { json, ...rest } = init;
    const post = json === undefined ? {} : { method: 'POST', body: JSON.stringify(json) };
    const answer = await fetch(new Request(`http://localhost${path}`, { ...post, ...rest }));
    const text = await answer.text();
    return {
      status: answer.status,
      headers: answer.headers,
      body: text ? JSON.parse(text) : undefined,
    };
  };

  before(async () => {
    als = await ALS.fit(plays, { factors: 4, seed: 1 });
  });

  it('answers with the lists of the recommender, below any path', async () => {
    for (const path of ['/recommend', '/api/v1/recommend/']) {
      const { status, body, headers } = await ask(service(), `${path}?user=u3&n=2`);
      expect(status).to.equal(200);
      expect(headers.get('content-type')).to.match(/^application\/json/);
      expect(body).to.deep.equal({
        recommender: 'ALS',
        user: 'u3',
        tracks: JSON.parse(JSON.stringify(als.recommend('u3', { n: 2 }).rows())),
      });
    }
    const posted = await ask(service(), '/recommend', { json: { user: 'u3', n: 2 } });
    expect(posted.body.tracks).to.deep.equal(
      (await ask(service(), '/recommend?user=u3&n=2')).body.tracks,
    );
    expect((await ask(service(), '/recommend?user=u3')).body.tracks).to.have.length(10);
  });

  it('filters: exclude, among, filterSeen', async () => {
    const ids = async (query: string): Promise<unknown[]> =>
      (await ask(service(), `/recommend?user=u3&n=100&${query}`)).body.tracks.map(
        ({ track_id }) => track_id,
      );
    const all = als.recommend('u3', { n: 100 }).ids;
    expect(await ids(`exclude=${all[0]}&exclude=${all[2]}`)).to.deep.equal(
      all.filter((_, i) => i !== 0 && i !== 2),
    );
    expect(await ids(`among=${all[3]}&among=${all[1]}`)).to.deep.equal([all[1], all[3]]);
    expect(await ids('filterSeen=false')).to.have.length(30);
    const posted = await ask(service(), '/recommend', {
      json: { user: 'u3', n: 100, exclude: [all[0]], filterSeen: true },
    });
    expect(posted.body.tracks).to.have.length(all.length - 1);
  });

  it('caps n, a batch and a history', async () => {
    const small = service({ maxN: 3, maxBatch: 2 });
    expect((await ask(small, '/recommend?user=u1&n=1000000000')).body.tracks).to.have.length(3);
    const batch = (users: string[]): Promise<Answer> =>
      ask(small, '/recommend', { json: { users, n: 1 } });
    expect((await batch(['u1', 'u2'])).body).to.have.length(2);
    expect((await batch(['u1', 'u2', 'u3'])).status).to.equal(400);
    const history = (tracks: string[]): Promise<Answer> =>
      ask(small, '/foldIn', { json: { history: tracks } });
    expect((await history(['t1', 't2'])).status).to.equal(200);
    expect((await history(['t1', 't2', 't3'])).status).to.equal(400);
    expect((await history([])).status).to.equal(400);
    const exclude = ['t1', 't2', 't3'];
    const excluded = await ask(small, '/recommend', { json: { user: 'u1', exclude } });
    expect(excluded.status).to.equal(400);
  });

  it('folds in, without unknown tracks unless they are asked for', async () => {
    const history = ['t1', { track: 't2', playcount: 3 }, 'nonsense'];
    const { body } = await ask(service(), '/foldIn', { json: { history, n: 2 } });
    const folded = als.foldIn(history, { skipUnknown: true }).recommend({ n: 2 });
    expect(body).to.deep.equal({
      recommender: 'ALS',
      tracks: JSON.parse(JSON.stringify(folded.rows())),
    });
    const strict = await ask(service(), '/foldIn', { json: { history, skipUnknown: false } });
    expect(strict.status).to.equal(404);
    class Own extends Recommender {
      readonly name: string = 'Own';
      scores(_: Int32Array, out: Float32Array): void {
        out.fill(0);
      }
    }
    const own = await ask(serve(new Own(als.seen)), '/foldIn', { json: { history: ['t1'] } });
    expect(own).to.deep.include({ status: 400, body: { error: 'Own cannot fold in.' } });
  });

  it('finds similar tracks', async () => {
    const { body } = await ask(service(), '/similar?track=t3&n=2');
    expect(body.tracks.map(({ track_id }) => track_id)).to.deep.equal(
      als.similarTracks('t3', { n: 2 }).ids,
    );
    expect((await ask(service(), '/similar?n=2')).status).to.equal(400);
    const unknown = await ask(service(), '/similar?track=t33');
    expect(unknown.status).to.equal(404);
    expect(unknown.body.suggestions).to.have.length.of.at.least(1);
  });

  it('names no user but the one asked for', async () => {
    const { status, body } = await ask(service(), '/recommend?user=u33x');
    expect(status).to.equal(404);
    expect(body).to.deep.equal({ error: 'The user is unknown.' });
  });

  it('lets a fallback answer for unknown users: with its own list, or that of nobody', async () => {
    const popularity = new Popularity(plays);
    const { body } = await ask(
      service({ fallback: popularity }),
      '/recommend?user=somebody&n=3&exclude=t0',
    );
    expect(body.recommender).to.equal('Popularity');
    expect(body.user).to.equal('somebody');
    const tracks = popularity.recommend('u0', { n: 3, filterSeen: false, exclude: ['t0'] }).ids;
    expect(body.tracks.map(({ track_id }) => track_id)).to.deep.equal(tracks);
    const few = plays.take(Array.from(plays.user.keys()).filter((i) => plays.user[i] < 5));
    const part = serve(new UserKNN(few), { fallback: popularity });
    const known = plays.users.id(20);
    expect((await ask(part, `/recommend?user=${known}&n=2`)).body.tracks).to.deep.equal(
      JSON.parse(JSON.stringify(popularity.recommend(known, { n: 2 }).rows())),
    );
  });

  it('swaps the recommender while requests are under way, and says so by its ETag', async () => {
    const one = service();
    const first = await ask(one, '/recommend?user=u1');
    const etag = first.headers.get('etag')!;
    const headers = { 'if-none-match': etag };
    expect((await ask(one, '/recommend?user=u1', { headers })).status).to.equal(304);
    const begun = ask(one, '/recommend?user=u1');
    one.swap(new Popularity(plays));
    expect((await begun).body.recommender).to.equal('ALS');
    const later = await ask(one, '/recommend?user=u1', { headers });
    expect(later.body.recommender).to.equal('Popularity');
    expect((await ask(one, '/health')).body).to.deep.equal({
      status: 'ok',
      recommender: 'Popularity',
      users: 40,
      tracks: 30,
      version: 2,
    });
    expect(() => one.swap({} as Recommender)).to.throw(
      /serve: expected a recommender|a recommender/,
    );
  });

  it('refuses what is malformed, and goes on', async () => {
    const one = service({ maxBytes: 100 });
    const cases: [string, number, (RequestInit & { json?: unknown })?][] = [
      ['/', 404],
      ['/nothing', 404],
      ['/recommend', 400],
      ['/recommend?user=u1&n=-1', 400],
      ['/recommend?user=u1&n=many', 400],
      ['/recommend?user=u1&n=1.5', 400],
      ['/recommend?user=u1', 405, { method: 'DELETE' }],
      ['/similar', 405, { json: { track: 't1' } }],
      ['/recommend', 400, { method: 'POST', body: '{' }],
      ['/recommend', 400, { method: 'POST', body: '[1]' }],
      ['/recommend', 400, { method: 'POST' }],
      ['/recommend', 400, { json: { user: {} } }],
      ['/recommend', 400, { json: { users: 'u1' } }],
      ['/recommend', 400, { json: { user: 'u1', among: 't1' } }],
      ['/recommend', 400, { json: { user: 'u1', filterSeen: 'yes' } }],
      ['/foldIn', 400, { json: { history: ['t1', { track: 't1', playcount: -1 }] } }],
      ['/recommend', 413, { json: { user: 'u'.repeat(200) } }],
      ['/recommend?user=u1&exclude=nothing', 404],
    ];
    for (const [path, status, init] of cases) {
      const answer = await ask(one, path, init);
      expect(answer.status, `${path} ${JSON.stringify(init)}`).to.equal(status);
      expect(answer.body.error).to.be.a('string');
    }
    expect((await ask(one, '/recommend?user=u1')).status).to.equal(200);
  });

  it('tells onError of what is not the fault of a client, and the client nothing', async () => {
    class Broken extends Recommender {
      readonly name: string = 'Broken';
      scores(): void {
        throw new TypeError('secret');
      }
    }
    const errors: unknown[] = [];
    const broken = serve(new Broken(als.seen), { onError: (error) => errors.push(error) });
    const { status, body } = await ask(broken, '/recommend?user=u1');
    expect({ status, body }).to.deep.equal({
      status: 500,
      body: { error: 'The server has failed.' },
    });
    expect(errors.map((error) => (error as Error).message)).to.deep.equal(['secret']);
  });

  it('refuses what is no recommender, and wrong options', () => {
    expect(() => serve({} as Recommender)).to.throw('a recommender, such as loadRecommender gives');
    expect(() => serve(als, { maxN: 0 })).to.throw('maxN');
    expect(() => serve(als, { fallback: {} as Recommender })).to.throw('a recommender');
    expect(() => serve(als, { max: 3 } as ServeOptions)).to.throw('serve has no option "max"');
  });

  it('stands behind node:http as docs/serving.md has it', async () => {
    const { fetch } = service();
    const server = createServer(async (incoming, outgoing) => {
      const { method, url, headers } = incoming;
      const body = method === 'POST' ? incoming : undefined;
      const init = { method, headers, body, duplex: 'half' } as unknown as RequestInit;
      const answer = await fetch(new Request(`http://localhost${url}`, init));
      outgoing.setHeaders(answer.headers);
      outgoing.statusCode = answer.status;
      outgoing.end(await answer.text());
    });
    await new Promise<void>((up) => server.listen(0, '127.0.0.1', up));
    try {
      const { port } = server.address() as AddressInfo;
      const at = `http://127.0.0.1:${port}`;
      const got = await globalThis.fetch(`${at}/recommend?user=u3&n=2`);
      expect(((await got.json()) as { tracks: unknown[] }).tracks).to.have.length(2);
      const body = JSON.stringify({ history: ['t1'], n: 1 });
      const posted = await globalThis.fetch(`${at}/foldIn`, { method: 'POST', body });
      expect(posted.status).to.equal(200);
    } finally {
      server.close();
    }
  });
});
