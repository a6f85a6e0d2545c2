/**
 * Prints generated data beside the real figures:
 * `node --import tsx test/cli/generate/report.ts sample|paper|full [SEED]`.
 */

import { Random } from '../../lib/recital/compute/random.js';
import { COLUMNS } from '../../lib/synthetic/calibration.js';
import { generate, SIZES } from '../../lib/synthetic/kaggle.js';
import { contentAuc, lastPlayHits, playcountScores, shuffled } from './probes.js';
import {
  auc,
  intraclass,
  mean,
  pcaRatios,
  pearson,
  quantileOf,
  shareOf,
  spearman,
  std,
} from './statistics.js';

const size = process.argv[2] as keyof typeof SIZES;
const started = performance.now();
const data = generate(SIZES[size], Number(process.argv[3] ?? 1));
const { catalogue, start, track, playcount, affinity } = data;
const row = (what: string, real: string, ours: string): void =>
  console.log(`| ${what} | ${real} | ${ours} |`);
const f = (x: number, digits = 2): string => x.toFixed(digits);
console.log(
  `${size}: generated in ${f((performance.now() - started) / 1000)} s\n\n| figure | real | generated |\n| --- | --- | --- |`,
);

const perUser = Array.from({ length: start.length - 1 }, (_, u) => start[u + 1] - start[u]);
row(
  'plays per user: median, mean, std',
  '5, 10.09, 14.56',
  `${quantileOf(perUser, 0.5)}, ${f(mean(perUser))}, ${f(std(perUser))}`,
);
row('p90, p99, max', '24, 71, 784', [0.9, 0.99, 1].map((p) => quantileOf(perUser, p)).join(', '));
const count = new Float64Array(catalogue.length);
const total = new Float64Array(catalogue.length);
track.forEach((t, i) => {
  count[t]++;
  total[t] += playcount[i];
});
const heard = Array.from(count.keys()).filter((t) => count[t] > 0);
const perTrack = heard.map((t) => count[t]);
row('tracks heard', '30,459', String(heard.length));
row(
  'users per track: median, mean, std',
  '57, 318.83, 1105',
  `${quantileOf(perTrack, 0.5)}, ${f(mean(perTrack))}, ${f(std(perTrack))}`,
);
row(
  'p90, p99, max',
  '738, 3836, 80656',
  [0.9, 0.99, 1].map((p) => f(quantileOf(perTrack, p), 0)).join(', '),
);
row('sigma of log users', '1.85', f(std(perTrack.map(Math.log))));
row(
  'plays per track p75, max',
  '592, 527893',
  `${quantileOf(
    heard.map((t) => total[t]),
    0.75,
  )}, ${Math.max(...heard.map((t) => total[t]))}`,
);
row(
  'corr(users, plays)',
  '.91',
  f(
    pearson(
      perTrack,
      heard.map((t) => total[t]),
    ),
  ),
);
row(
  'playcount mean, std, median',
  '2.63, 5.71, 1',
  `${f(mean(playcount))}, ${f(std(playcount))}, ${quantileOf(playcount, 0.5)}`,
);
row(
  'playcount p90, p99, max',
  '5, 21, 2948',
  [0.9, 0.99, 1].map((p) => quantileOf(playcount, p)).join(', '),
);
row(
  'playcount = 1, ≤ 2',
  '.608, .764',
  `${f(
    shareOf(playcount, (c) => c === 1),
    3,
  )}, ${f(
    shareOf(playcount, (c) => c <= 2),
    3,
  )}`,
);
const plays = size === 'full' ? 0 : 1;
if (plays) {
  row(
    'AUC of count ≥ 2: affinity, user + track + artist means',
    '',
    `${f(
      auc(affinity, (i) => playcount[i] >= 2),
      3,
    )}, ${(() => {
      const { score, positive } = playcountScores(data, new Random(3));
      return f(
        auc(score, (i) => positive[i]),
        3,
      );
    })()}`,
  );
  for (const k of [10, 20]) {
    for (const least of [3, 8]) {
      const a = lastPlayHits(data, catalogue.length, { k, least });
      const b = lastPlayHits(shuffled(data, new Random(5)), catalogue.length, {
        k,
        least,
      });
      row(
        `hit@${k} of the last play, users ≥ ${least} plays: popularity, item-kNN, Markov; shuffled`,
        '',
        `${[a.popularity, a.itemKnn, a.markov].map((x) => f(x, 3)).join(' ')}; ${[b.popularity, b.itemKnn, b.markov].map((x) => f(x, 3)).join(' ')}`,
      );
    }
  }
}
if (plays)
  row(
    'AUC of sound against hidden tracks',
    '',
    f(
      contentAuc(
        data,
        COLUMNS.map((c) => catalogue.audio[c]),
        new Random(9),
      ),
      3,
    ),
  );
const tracks =
  size === 'sample'
    ? Array.from(count.keys())
    : Array.from(catalogue.users.keys()).filter((t) => catalogue.users[t] > 0);
const column = (name: (typeof COLUMNS)[number]): Float64Array =>
  Float64Array.from(tracks, (t) => catalogue.audio[name][t]);
const thirteen = COLUMNS.filter((c) => c !== 'year');
row(
  'PCA of 13 features',
  '21.3 13.5 9.3 8.6 7.7 7.1 6.7 6.5 6.3 5.9 3.0 2.7 1.2',
  pcaRatios(thirteen.map(column))
    .map((x) => f(100 * x, 1))
    .join(' '),
);
const PAIRS: [(typeof COLUMNS)[number], (typeof COLUMNS)[number], number, number][] = [
  ['energy', 'loudness', 0.781, 0.762],
  ['energy', 'acousticness', -0.729, -0.713],
  ['loudness', 'acousticness', -0.616, -0.579],
  ['danceability', 'valence', 0.543, 0.539],
  ['energy', 'speechiness', 0.231, 0.512],
  ['loudness', 'instrumentalness', -0.305, -0.293],
  ['valence', 'duration_ms', -0.203, -0.214],
  ['loudness', 'year', 0.211, 0.185],
  ['energy', 'tempo', 0.226, 0.21],
  ['key', 'mode', -0.163, -0.163],
];
for (const [a, b, p, s] of PAIRS)
  row(
    `${a}, ${b}: Pearson, Spearman`,
    `${p}, ${s}`,
    `${f(pearson(column(a), column(b)), 3)}, ${f(spearman(column(a), column(b)), 3)}`,
  );
for (const c of [
  'danceability',
  'energy',
  'loudness',
  'acousticness',
  'instrumentalness',
  'tempo',
  'duration_ms',
  'year',
] as const)
  row(
    `${c}: mean, std; ICC by artist`,
    '',
    `${f(mean(column(c)), 3)}, ${f(std(column(c)), 3)}; ${f(
      intraclass(
        column(c),
        Int32Array.from(tracks, (t) => catalogue.artist[t]),
      ),
    )}`,
  );
row(
  '|corr| of log popularity with a feature, greatest',
  '',
  f(
    Math.max(
      ...COLUMNS.map((c) =>
        Math.abs(
          pearson(
            Float64Array.from(heard, (t) => catalogue.audio[c][t]),
            perTrack.map(Math.log),
          ),
        ),
      ),
    ),
    3,
  ),
);
row(
  'share of log popularity between artists',
  '',
  f(
    intraclass(
      perTrack,
      heard.map((t) => catalogue.artist[t]),
    ),
  ),
);
row(
  'genre missing, tags missing',
  '.559, .022',
  `${f(catalogue.genre.filter((g) => g === '').length / catalogue.length, 3)}, ${f(catalogue.tags.filter((g) => g === '').length / catalogue.length, 3)}`,
);
const tally = (values: string[]): Map<string, number> =>
  values.reduce((m, v) => m.set(v, (m.get(v) ?? 0) + 1), new Map<string, number>());
const top = (m: Map<string, number>, n: number): string =>
  [...m]
    .sort((x, y) => y[1] - x[1])
    .slice(0, n)
    .map(([k, v]) => `${k} ${v}`)
    .join(', ');
row(
  'genres',
  'Rock 9965, Electronic 3710, Metal 2516, Pop 1145, Rap 820, Jazz 793, RnB 747, Reggae 691, Country 607, Punk 382, Folk 356, New Age 237, Blues 188, World 140, Latin 51',
  top(tally(catalogue.genre.filter((g) => g !== '')), 15),
);
const tags = catalogue.tags.flatMap((t) => (t === '' ? [] : t.split(', ')));
row(
  'tags',
  'rock 10681, indie 7284, electronic 6592, alternative 6271, pop 4650; 100 distinct',
  `${top(tally(tags), 8)}; ${tally(tags).size} distinct; ${f(tags.length / catalogue.length)} a track`,
);
const perArtist = [
  ...tally(tracks.map((t) => catalogue.artists[catalogue.artist[t]].name)).values(),
];
row(
  'artists (playable tracks), with one track, per artist p75, p90, p99, max',
  '6207, 2600, 6, 13, 37, 67',
  `${perArtist.length}, ${perArtist.filter((n) => n === 1).length}, ${[0.75, 0.9, 0.99, 1].map((p) => quantileOf(perArtist, p)).join(', ')}`,
);
row('artists in the catalogue', '8317', String(catalogue.artists.length));
row(
  'titles that another track has',
  '',
  f(100 * (1 - tally(catalogue.name).size / catalogue.length), 1) + ' %',
);
console.log(`\ntook ${f((performance.now() - started) / 1000)} s`);
