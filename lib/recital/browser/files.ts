// Files, for pages, which have none: stands in recital/browser in the place of what reads and writes
// them (data/files/atomic-write.ts, open-file.ts, read-table.ts, text-file.ts, Node's path).
import { RecitalError } from '../errors.js';

/** Says that there are no files. */
function noFiles(): never {
  throw new RecitalError(
    'A page has no files. Give loadRecommender and loadLearner the bytes of one, await (await fetch(url)).arrayBuffer(), Plays.fromRows the rows, new Table the columns; train, save and export in Node.',
  );
}

export {
  noFiles as csvRecord,
  noFiles as decoderOf,
  noFiles as eachRecord,
  noFiles as existingFile,
  noFiles as interrupted,
  noFiles as isFile,
  noFiles as isRunning,
  noFiles as lineEnds,
  noFiles as loadTable,
  noFiles as makeFolder,
  noFiles as fileInSteps,
  noFiles as openText,
  noFiles as Records,
  noFiles as withEnding,
  noFiles as writeAtomically,
};

/** Node's path: a path leads to a file. */
export default { dirname: noFiles, isAbsolute: noFiles, resolve: noFiles };
