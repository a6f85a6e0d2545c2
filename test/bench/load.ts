import { statSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { Table } from '../../lib/recital/data/table.js';
import { type Benchmark, main } from './support/benchmark.js';
import { alternate, peer, type Runs, worker } from './support/contenders.js';
import { benchFile, withFolder } from './support/data.js';
import { figure, spread } from './support/figures.js';
import { count, type Option } from './support/options.js';
import { findPeers } from './support/peers.js';

const file: Option<string> = {
  about: 'the listening history; none: that of `npm run data -- bench-big`',
  value: '',
  read: (text) => path.resolve(text),
};

const options = {
  file,
  runs: count(3, 'runs of each, in turn; figures are medians'),
  quiet: count(0, 'seconds to wait for a quiet machine before each run, at most', { least: 0 }),
};

/** Reading 9.7 M plays: the first time, and from the cache. */
export const benchmark: Benchmark<typeof options> = {
  about:
    'load: a listening history of 962,037 users, 30,459 tracks and 9,702,851 plays (602 MB of CSV), or another --file, from file to encoded columns with sorted\n' +
    'vocabularies. "first" parses it, looks for repeated rows and writes the cache; "again" reads the cache. Each run is a process of its own.\n' +
    'pandas: read_csv and factorize(sort=True) of both id columns, which is the same result without the look for repeated rows.',
  options,
  async run({ file: given, runs, quiet }) {
    const source = given || benchFile('bench-big');
    const peers = findPeers(['pandas']);
    return withFolder(async (dir) => {
      const link = path.join(dir, path.basename(source)); // the cache goes beside the link, and away with it
      symlinkSync(path.resolve(source), link);
      const contenders = [
        worker('recital first', 'load.ts', [link, 'first']),
        worker('recital again', 'load.ts', [link, 'again']),
        ...(peers
          ? [peer(`pandas ${peers.versions.pandas}`, peers.python, 'load.py', [link])]
          : []),
      ];
      const [first, again, pandas] = await alternate(contenders, { runs, quietS: quiet });
      const megabytes = statSync(source).size / 2 ** 20;
      console.log(
        `${megabytes.toFixed(0)} MB, ${first.median('rows').toLocaleString('en')} rows, ${runs} run(s)\n${table([first, again, ...(pandas ? [pandas] : [])])}`,
      );
      const beside = pandas && { name: pandas.name, value: pandas.median('seconds') };
      return [
        figure('load first', first.median('seconds'), 's', first.peakMB, beside),
        figure('load again', again.median('seconds'), 's', again.peakMB, beside),
        figure(
          'load first, peak memory',
          first.peakMB,
          'MB',
          first.peakMB,
          pandas && { name: pandas.name, value: pandas.peakMB },
        ),
      ];
    });
  },
};

function table(measured: readonly Runs[]): Table {
  return Table.fromRows(
    measured.map((m) => ({
      '': m.name,
      seconds: spread(m.values('seconds')),
      'peak MB': m.peakMB.toFixed(0),
      'cores used by others': m.others.toFixed(2),
    })),
  );
}

if (require.main === module) void main(benchmark);
