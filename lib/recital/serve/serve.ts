import type { Cell } from '../data/table.js';
import { ArgumentError, UnknownIdError } from '../errors.js';
import { checkArgument, checkCount, given, isObject } from '../options.js';
import type { HistoryItem } from '../recommend/fold-in.js';
import type { Recommender, RecommendOptions } from '../recommend/recommender.js';

const SERVE = {
  /** The longest list that a client gets, whatever it asks for; default 100. */
  maxN: 100,
  /** The most users of a batch, and the most tracks of a history; default 1,000. */
  maxBatch: 1000,
  /** The largest body of a request, in bytes; default 1 MB. */
  maxBytes: 1_000_000,
  /** Who answers for users that the recommender does not know; default nobody: status 404. */
  fallback: undefined as Recommender | undefined,
  /** Told of each error that is not the client's; default: console.error. */
  onError: (error: unknown): void => console.error(error),
};

/** Options of {@link serve}. */
export type ServeOptions = Partial<typeof SERVE>;

/** A track of a list, as it is sent: rank from 1, its id, score, and what the catalogue has. */
export type ServedTrack = Readonly<Record<string, Cell>>;

/** What `/recommend`, `/similar` and `/foldIn` answer. */
export interface ServedList {
  /** Name of the recommender that made the list. */
  readonly recommender: string;
  /** The user; not for a history. */
  readonly user?: string;
  /** The best first. */
  readonly tracks: readonly ServedTrack[];
}

/** What `/health` answers. */
export interface ServedHealth {
  /** Always `ok`: a server that answers is well. */
  readonly status: 'ok';
  /** Name of the recommender that answers now. */
  readonly recommender: string;
  /** Number of users that it knows. */
  readonly users: number;
  /** Number of tracks that it can recommend. */
  readonly tracks: number;
  /** Counts the recommenders that `swap` has put in place; it is the ETag of lists, too. */
  readonly version: number;
}

/** What a refused request gets, with a status from 400 on. */
export interface ServedError {
  /** What was wrong, in a sentence that names no user. */
  readonly error: string;
  /** Names that may have been meant: of tracks, never of users. */
  readonly suggestions?: readonly string[];
}

/** A recommender behind HTTP, see {@link serve}. */
export interface Service {
  /** Answers a request; never throws. It needs no `this`. */
  readonly fetch: (request: Request) => Promise<Response>;
  /** Puts another recommender in place; requests that have begun end with the one before. */
  readonly swap: (recommender: Recommender) => void;
}

/** Parameters of a request, from its query or its JSON body. */
interface Asked {
  readonly user?: string;
  readonly users?: readonly string[];
  readonly track?: string;
  readonly history?: readonly HistoryItem[];
  readonly n?: number;
  readonly among?: readonly string[];
  readonly exclude?: readonly string[];
  readonly filterSeen?: boolean;
  readonly skipUnknown?: boolean;
}

/** A request that cannot be answered, and why, as the client is told. */
class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly suggestions?: readonly string[],
  ) {
    super(message);
  }
}

/**
 * A recommender as a `fetch` handler, `(Request) → Promise<Response>`, for every server that takes
 * one (Bun, Deno, hono, Next, Cloudflare; node:http by a few lines, see docs/serving.md). JSON in
 * and out:
 *
 * - `GET /recommend?user=ID&n=10`; further `exclude=ID` (repeated), `among=ID`, `filterSeen=false`
 * - `POST /recommend` with `{ user, n, … }`, or `{ users: [ID, …], n }` for a batch
 * - `GET /similar?track=ID&n=10`
 * - `POST /foldIn` with `{ history: [ID or { track, playcount }, …], n, skipUnknown }`
 * - `GET /health`
 *
 * Whatever path stands before these names is let pass. `n` is capped. A refused request gets 400,
 * 404 (unknown user or track), 405, 413 or 500 and `{ error }`; no answer names a user but the one
 * asked for. Lists carry an ETag.
 * @param recommender any, such as loadRecommender gives
 * @throws ArgumentError for what is no recommender, and for wrong options
 * @example
 * const { fetch, swap } = serve(new Popularity(plays), { maxN: 50 });
 * const answer = await fetch(new Request(`http://localhost/recommend?user=${plays.users.id(0)}&n=3`));
 * ((await answer.json()) as ServedList).tracks.length // 3
 */
export function serve(recommender: Recommender, options: ServeOptions = {}): Service {
  const settings = given(SERVE, options, 'serve');
  for (const name of ['maxN', 'maxBatch', 'maxBytes'] as const) checkCount(settings[name], name);
  checkRecommender(recommender);
  if (settings.fallback !== undefined) checkRecommender(settings.fallback);
  let current = { recommender, version: 1 };
  return {
    async fetch(request) {
      try {
        return await answer(request, current, settings);
      } catch (error) {
        const refused = asRefused(error);
        if (refused.status >= 500) settings.onError(error);
        const { status, message, suggestions } = refused;
        return Response.json({ error: message, suggestions } satisfies ServedError, { status });
      }
    },
    swap(next) {
      checkRecommender(next);
      current = { recommender: next, version: current.version + 1 };
    },
  };
}

async function answer(
  request: Request,
  { recommender, version }: { recommender: Recommender; version: number },
  settings: typeof SERVE,
): Promise<Response> {
  const url = new URL(request.url);
  const name = url.pathname.split('/').filter(Boolean).at(-1) ?? '';
  const methods = ROUTES[name];
  if (!methods) throw new Refused(404, `There is no "${name}". There are ${Object.keys(ROUTES)}.`);
  if (!methods.includes(request.method))
    throw new Refused(405, `${name} is asked for by ${methods.join(' or ')}.`);
  if (name === 'health') {
    const { name: called, users, tracks } = recommender;
    const body: ServedHealth = {
      status: 'ok',
      recommender: called,
      users: users.length,
      tracks: tracks.length,
      version,
    };
    return Response.json(body);
  }
  const etag = `"${recommender.name.replace(/[^\w -]/g, '')}-${version}"`;
  const headers = { etag, 'cache-control': 'private, no-cache' };
  if (request.method === 'GET' && request.headers.get('if-none-match') === etag)
    return new Response(null, { status: 304, headers });
  const asked =
    request.method === 'GET' ? ofQuery(url.searchParams) : await ofBody(request, settings.maxBytes);
  const n = Math.min(number(asked.n ?? 10), settings.maxN);
  const choice = { n, ...chosen(asked, settings.maxBatch) };
  return Response.json(listsOf(name, recommender, asked, choice, settings), { headers });
}

const ROUTES: Readonly<Record<string, readonly string[] | undefined>> = {
  recommend: ['GET', 'POST'],
  similar: ['GET'],
  foldIn: ['POST'],
  health: ['GET'],
};

/** What the answer holds: a list, or, for a batch, an array of lists. */
function listsOf(
  route: string,
  recommender: Recommender,
  asked: Asked,
  choice: RecommendOptions & { n: number },
  { maxBatch, fallback }: typeof SERVE,
): ServedList | ServedList[] {
  const named = (by: Recommender, tracks: ServedTrack[], user?: string): ServedList => ({
    recommender: by.name,
    ...(user !== undefined && { user }),
    tracks,
  });
  const { filterSeen, ...rest } = choice;
  if (route === 'similar') {
    if (asked.track === undefined) throw new Refused(400, 'similar needs a track.');
    return named(recommender, recommender.similarTracks(asked.track, rest).rows());
  }
  if (route === 'foldIn') {
    const { history, skipUnknown = true } = asked;
    if (!Array.isArray(history) || history.length === 0 || history.length > maxBatch)
      throw new Refused(400, `foldIn needs a history of 1 to ${maxBatch} tracks.`);
    if (!recommender.canFoldIn) throw new Refused(400, `${recommender.name} cannot fold in.`);
    const folded = recommender.foldIn(history, { skipUnknown });
    return named(recommender, folded.recommend(choice).rows());
  }
  const forUser = (user: unknown): ServedList => {
    if (typeof user !== 'string' && typeof user !== 'number')
      throw new Refused(400, 'A user is a text or a number.');
    return listOf(String(user));
  };
  const listOf = (user: string): ServedList => {
    const by = recommender.knows(user) ? recommender : fallback;
    if (!by) throw new Refused(404, 'The user is unknown.');
    if (by === recommender || by.knows(user))
      return named(by, by.recommend(user, choice).rows(), user);
    return named(by, anybody(by, choice), user);
  };
  if (asked.users === undefined) {
    if (asked.user === undefined) throw new Refused(400, 'recommend needs a user, or users.');
    return forUser(asked.user);
  }
  if (!Array.isArray(asked.users) || asked.users.length > maxBatch)
    throw new Refused(400, `users must be an array of at most ${maxBatch} ids.`);
  return asked.users.map((user) => forUser(user));
}

/** The list of somebody of whom nothing is known: that of the scores which the first user has. */
function anybody(by: Recommender, options: RecommendOptions): ServedTrack[] {
  if (by.users.length === 0) throw new Refused(404, 'The user is unknown.');
  return by.recommend(by.users.id(0), { ...options, filterSeen: false }).rows();
}

/** Filters of a request; undefined ones are left out. */
function chosen({ among, exclude, filterSeen }: Asked, most: number): RecommendOptions {
  for (const [name, ids] of Object.entries({ among, exclude }))
    if (ids !== undefined && !(Array.isArray(ids) && ids.length <= most))
      throw new Refused(400, `${name} must be an array of at most ${most} tracks.`);
  return {
    ...(among && { among }),
    ...(exclude && { exclude }),
    ...(filterSeen !== undefined && { filterSeen }),
  };
}

function number(n: unknown): number {
  if (Number.isInteger(n) && (n as number) > 0) return n as number;
  throw new Refused(400, 'n must be a positive whole number.');
}

function ofQuery(query: URLSearchParams): Asked {
  const asked: Record<string, unknown> = {};
  for (const name of ['user', 'track']) if (query.has(name)) asked[name] = query.get(name);
  for (const name of ['among', 'exclude']) if (query.has(name)) asked[name] = query.getAll(name);
  if (query.has('n')) asked.n = Number(query.get('n'));
  if (query.has('filterSeen')) asked.filterSeen = query.get('filterSeen') !== 'false';
  return asked;
}

async function ofBody(request: Request, maxBytes: number): Promise<Asked> {
  const tooLarge = new Refused(413, `A request has at most ${maxBytes} bytes.`);
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge;
  const decoder = new TextDecoder();
  const reader = request.body?.getReader();
  let text = '';
  for (
    let bytes = 0, part = await reader?.read();
    part && !part.done;
    part = await reader?.read()
  ) {
    bytes += part.value.length;
    if (bytes > maxBytes) throw tooLarge;
    text += decoder.decode(part.value, { stream: true });
  }
  try {
    const asked = JSON.parse(text + decoder.decode());
    if (isObject(asked)) return asked as Asked;
  } catch {
    // It is said below.
  }
  throw new Refused(400, 'The body must be an object of JSON, such as {"user": "u1", "n": 10}.');
}

/** Errors of the library as answers; no message of theirs is sent that could name a user. */
function asRefused(error: unknown): Refused {
  if (error instanceof Refused) return error;
  if (error instanceof UnknownIdError)
    return new Refused(404, 'A track is unknown.', error.suggestions);
  if (error instanceof ArgumentError) return new Refused(400, error.message);
  return new Refused(500, 'The server has failed.');
}

function checkRecommender(recommender: unknown): void {
  const fits = isObject(recommender) && 'recommend' in recommender && 'seen' in recommender;
  checkArgument(fits, recommender, 'serve', 'a recommender, such as loadRecommender gives');
}
