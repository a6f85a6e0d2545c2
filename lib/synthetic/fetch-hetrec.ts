import path from 'node:path';
import { type DownloadOptions, download, type Source } from './download.js';

/** HetRec 2011 Last.fm-2K, as GroupLens publishes it. */
export const HETREC: Source = {
  url: 'https://files.grouplens.org/datasets/hetrec2011/hetrec2011-lastfm-2k.zip',
  sha256: '6738f48195667ff03caaab4d32ca9a3133d8cc026b7c3cdaf6ce1010e913c59c',
  bytes: 2_589_075,
};

/** Its terms, from the readme in the zip. */
export const HETREC_TERMS = `HetRec 2011 Last.fm-2K: 1,892 users, 17,632 artists, 92,834 play counts, tags, friends.
Made available for non-commercial use; for anything else ask Last.fm (http://www.lastfm.com/about/contact).
Cite the Last.fm website, http://www.lastfm.com, and the workshop: I. Cantador, P. Brusilovsky, T. Kuflik: 2nd Workshop on Information Heterogeneity and
Fusion in Recommender Systems (HetRec 2011), 5th ACM Conference on Recommender Systems (RecSys 2011), Chicago.`;

/**
 * Shows the terms and fetches the zip into a folder, where `readHetRec(folder)` and
 * `readPlays(folder)` find it.
 * @param options those of {@link download}; `print` is told everything, `source` stands for the
 *   publisher's in tests
 * @returns the path of the zip
 */
export async function fetchHetRec(
  folder: string,
  {
    print,
    source = HETREC,
    ...options
  }: Omit<DownloadOptions, 'report'> & { print: (line: string) => void; source?: Source },
): Promise<string> {
  const file = path.join(folder, path.posix.basename(new URL(source.url).pathname));
  print(HETREC_TERMS);
  print('');
  const fetched = await download(source, file, { ...options, report: print });
  print(
    `${path.relative(process.cwd(), file)}: ${source.bytes.toLocaleString('en')} bytes, sha256 ${source.sha256}${fetched ? '' : ' (there already)'}`,
  );
  return file;
}
