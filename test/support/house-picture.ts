// node --import tsx test/support/house-picture.ts: draws docs/house.svg, the rooms of the library one above the other.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rooms, root, sources } from './house.js';

/** What a room holds, in a line. */
const contents: Record<string, string> = {
  compute: 'shared memory, kernels, threads, random numbers, stopping',
  data: 'tables, vocabularies, plays, the sparse matrix, splits, loaders; files/: readers',
  nn: 'parameters, layers, losses, gradient check',
  models: 'EmbeddingDotBias, EmbeddingNN, LightGCN, LSTM, TensorFlow.js',
  learner: 'the loop, schedules, callbacks/, optimizers/, metrics, checkpoints',
  decomposition: 'PCA, TruncatedSVD, StandardScaler; lanczos/',
  recommend: 'the contract, ranking, fold-in; baselines/ neighbours/ factors/ content/ learners/',
  sequential: 'recommenders of the next track',
  evaluation: 'evaluate, metrics, statistics, segments, search',
  hybrid: 'sums of recommenders, and their weights',
  files: 'recommenders saved and loaded',
  serve: 'a recommender behind HTTP',
  display: 'what a notebook shows: tables, charts, progress',
  browser: 'the names for pages, and what stands there for Node',
};
const [WIDTH, FLOOR, ROOF, LEFT] = [720, 34, 56, 20];
const height = ROOF + rooms.length * FLOOR + 62;
const text = (x: number, y: number, words: string, style = ''): string =>
  `<text x="${x}" y="${y}"${style}>${words}</text>`;

/** The picture, as SVG. */
export function housePicture(): string {
  const floors = [...rooms].reverse().map((room, i) => {
    const y = ROOF + i * FLOOR;
    const files = sources(`lib/recital/${room}`).length;
    return [
      `<rect x="${LEFT}" y="${y}" width="${WIDTH}" height="${FLOOR}" fill="${i % 2 ? '#f6f1e7' : '#fbf8f2'}" stroke="#8a7a5c"/>`,
      text(LEFT + 12, y + 22, room, ' font-weight="bold"'),
      text(LEFT + 130, y + 22, contents[room]),
      text(LEFT + WIDTH - 12, y + 22, `${files} files`, ' text-anchor="end" fill="#6b5f49"'),
    ].join('\n');
  });
  const ground = ROOF + rooms.length * FLOOR;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH + 2 * LEFT} ${height}" role="img" aria-labelledby="t" font-family="sans-serif" font-size="13" fill="#2b2620">
<title id="t">The rooms of lib/recital, ${rooms.join(', ')}: each stands on those below it and imports from them alone</title>
<rect width="100%" height="100%" fill="#ffffff"/>
<path d="M${LEFT - 12} ${ROOF} L${LEFT + WIDTH / 2} 8 L${LEFT + WIDTH + 12} ${ROOF} Z" fill="#e9dcc3" stroke="#8a7a5c"/>
${text(LEFT + WIDTH / 2, ROOF - 14, 'index.ts: every public name', ' text-anchor="middle" font-weight="bold"')}
${floors.join('\n')}
<path d="M0 ${ground} H${WIDTH + 2 * LEFT}" stroke="#8a7a5c" stroke-width="3"/>
${text(LEFT, ground + 24, 'Beside it: errors.ts, options.ts (for all rooms).')}
${text(LEFT, ground + 46, 'Neighbours: lib/kernel (notebooks), lib/native (kernels in C), lib/synthetic (the sample).')}
</svg>
`;
}

if (process.argv[1] === __filename) writeFileSync(join(root, 'docs/house.svg'), housePicture());
