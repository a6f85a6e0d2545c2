import { isUtf8 } from 'node:buffer';
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { float32 } from '../../compute/memory.js';
import {
  fileError,
  identifier,
  literal,
  pathLiteral,
  stopped,
  tableOf,
  typedItems,
  valuesOf,
  withDuckDB,
} from '../../data/files/duckdb.js';
import { openSafetensors } from '../../data/files/safetensors.js';
import { existingFile, statOf } from '../../data/files/text-file.js';
import { Vocabulary } from '../../data/vocabulary.js';
import { ArgumentError, DataError } from '../../errors.js';
import { checkOptions, whatIs } from '../../options.js';
import type { Id } from '../recommender.js';

/** Factors in memory. */
export interface FactorArrays {
  /** Whose they are, a row each. */
  readonly ids: readonly Id[];
  /** ids × width, row-major. */
  readonly values: ArrayLike<number>;
}

/** Factors in a file: safetensors (`.safetensors`), else Parquet, a file or a folder of them. */
export interface FactorFile {
  /** Its path. */
  readonly file: string;
  /**
   * Safetensors: name of the tensor, float32 of rows × width; default `user_factors` and
   * `item_factors`, which are the names that `implicit` uses.
   */
  readonly tensor?: string;
  /** Safetensors: whose the rows are; default: their numbers, '0', '1', … */
  readonly ids?: readonly Id[];
  /** Parquet: column with the id; default `id`, Spark's. */
  readonly id?: string;
  /** Parquet: column with the list of factors; default `features`, Spark's. */
  readonly features?: string;
  /**
   * What the ids stand for where they are numbers from 0, as Spark's ALS needs them: the labels of
   * a StringIndexer, number 7 is `labels[7]`. An array, or a file: a StringIndexerModel as Spark
   * saves it, JSON with a list of texts, text with one a line (`.txt`), or Parquet with the columns
   * `id` and `label`. Default: the ids are what they are.
   */
  readonly labels?: readonly Id[] | string;
}

/** Where factors are. */
export type FactorSource = FactorArrays | FactorFile;

/** Where the factors of users and tracks are. */
export interface FactorSources {
  readonly users: FactorSource;
  readonly tracks: FactorSource;
}

/** Factors with their ids; `values` on the shared memory. */
export interface NamedFactors {
  readonly ids: Vocabulary;
  readonly values: Float32Array;
  readonly width: number;
}

/** Reads factors of users or tracks. */
export async function readFactors(
  source: FactorSource,
  kind: 'user' | 'track',
): Promise<NamedFactors> {
  if (typeof source !== 'object' || source === null)
    throw new ArgumentError(
      `Factors of ${kind}s are { ids, values } or { file }, got ${typeof source}.`,
    );
  if (!('file' in source)) {
    checkOptions(source, ['ids', 'values'], `The factors of ${kind}s in memory`);
    return named(source.ids, source.values, kind);
  }
  checkOptions(
    source,
    ['file', 'tensor', 'ids', 'id', 'features', 'labels'],
    `The factors of ${kind}s in a file`,
  );
  if (typeof source.file !== 'string')
    throw new ArgumentError(
      `file must be the path of the factors of ${kind}s, got ${typeof source.file}.`,
    );
  const read = source.file.endsWith('.safetensors')
    ? fromSafetensors(source, kind)
    : await fromParquet(source, kind);
  return source.labels === undefined
    ? read
    : labelled(read, await readLabels(source.labels, kind), kind);
}

/** Factors by what their numbers stand for. */
function labelled(
  { ids, ...factors }: NamedFactors,
  labels: ReadonlyMap<string, string>,
  kind: 'user' | 'track',
): NamedFactors {
  const names = ids.classes.map((id) => {
    const label = labels.get(id);
    if (label !== undefined) return label;
    const last = labels.size - 1;
    throw new DataError(
      `The factors of ${kind}s have the id "${id}", for which there is no label: there are ${labels.size}, for the numbers 0 to ${last}.`,
    );
  });
  const made = Vocabulary.inOrder(names, { kind });
  if (made.length === names.length) return { ids: made, ...factors };
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  throw new DataError(`Two ${kind}s have the label "${twice}". Labels must differ.`);
}

/** Labels by the number they belong to. */
async function readLabels(labels: unknown, kind: 'user' | 'track'): Promise<Map<string, string>> {
  const numbered = (list: readonly unknown[]): Map<string, string> => {
    const bad = list.findIndex((label) => typeof label !== 'string' && typeof label !== 'number');
    if (bad >= 0)
      throw new DataError(
        `Label ${bad} of the ${kind}s must be a text or a number, got ${whatIs(list[bad])}.`,
      );
    return new Map(list.map((label, i) => [String(i), String(label)]));
  };
  if (Array.isArray(labels)) return numbered(labels);
  if (typeof labels !== 'string')
    throw new ArgumentError(
      `labels of ${kind}s are an array of ids, or the path of a file, got ${whatIs(labels)}.`,
    );
  const stat = statOf(labels);
  if (!stat) throw new DataError(`There is no "${labels}" with the labels of ${kind}s.`);
  if (/\.(?:json|txt)$/.test(labels)) {
    const text = readFileSync(existingFile(labels) && labels);
    if (!isUtf8(text)) throw new DataError(`"${labels}" is not text in UTF-8.`);
    if (labels.endsWith('.txt'))
      return numbered(
        text
          .toString('utf8')
          .replace(/\r?\n$/, '')
          .split(/\r?\n/),
      );
    try {
      const list: unknown = JSON.parse(text.toString('utf8'));
      if (Array.isArray(list)) return numbered(list);
    } catch (error) {
      if (error instanceof DataError) throw error;
    }
    throw new DataError(`"${labels}" should hold a list of texts, ["a", "b", …].`);
  }
  const saved = path.join(labels, 'data'); // of a model that Spark saved
  const from = parquetOf(stat.isDirectory() && existsSync(saved) ? saved : labels);
  return withDuckDB(`reading "${labels}"`, async function* (connection) {
    try {
      const names = (await connection.run(`select * from ${from} limit 0`)).columnNames();
      const list = names.includes('labelsArray')
        ? 'labelsArray[1]'
        : names.includes('labels')
          ? 'labels'
          : undefined;
      if (list === undefined && !(names.includes('id') && names.includes('label'))) {
        throw new DataError(
          `"${labels}" has the columns ${names.join(', ')}; labels, labelsArray, or id and label were expected.`,
        );
      }
      const query = list
        ? `select (generate_subscripts(l, 1) - 1)::varchar as id, unnest(l) as label from (select ${list} as l from ${from})`
        : `select id::varchar as id, label::varchar as label from ${from}`;
      const table = yield* tableOf(await connection.run(query));
      const [ids, texts] = [table.strings('id'), table.strings('label')];
      const empty = texts.findIndex((text, i) => text === null || ids[i] === null);
      if (empty >= 0) throw new DataError(`"${labels}" has no label, or no id, in row ${empty}.`);
      const found = new Map(ids.map((id, i) => [id!, texts[i]!]));
      if (found.size !== ids.length)
        throw new DataError(`"${labels}" has two labels for one number.`);
      return found;
    } catch (error) {
      throw error instanceof DataError ? error : fileError(error, labels);
    }
  });
}

function parquetOf(file: string): string {
  const folder = statSync(file).isDirectory();
  return folder
    ? `read_parquet(${literal(
        path.join(
          path.resolve(file).replace(/[[*?]/g, (c) => `[${c}]`),
          '*.parquet',
        ),
      )})`
    : `read_parquet(${pathLiteral(file)})`;
}

function named(
  ids: readonly Id[],
  values: ArrayLike<number>,
  kind: 'user' | 'track',
): NamedFactors {
  if (!Array.isArray(ids) || ids.length === 0)
    throw new ArgumentError(`The factors of ${kind}s need their ids, at least one.`);
  const width = values.length / ids.length;
  if (!(Number.isInteger(width) && width > 0))
    throw new ArgumentError(
      `${values.length} factors do not make rows for ${ids.length} ${kind}s.`,
    );
  const vocabulary = Vocabulary.inOrder(ids.map(String), { kind });
  if (vocabulary.length !== ids.length) {
    const twice = ids.find((id, i) => ids.findIndex((other) => String(other) === String(id)) !== i);
    throw new ArgumentError(
      `The factors of ${kind}s have two rows for "${twice}". Ids must differ.`,
    );
  }
  const shared = float32(values.length);
  shared.set(values);
  return { ids: vocabulary, values: shared, width };
}

function fromSafetensors({ file, tensor, ids }: FactorFile, kind: 'user' | 'track'): NamedFactors {
  const name = tensor ?? (kind === 'user' ? 'user_factors' : 'item_factors');
  return openSafetensors(file, (st) => {
    const values = st.read(name, 'F32');
    const [rows, ...rest] = st.tensors.get(name)!.shape;
    if (rest.length !== 1)
      throw new DataError(
        `tensor "${name}" has ${1 + rest.length} dimensions; rows × width was expected.`,
      );
    const whose = ids ?? Array.from({ length: rows }, (_, i) => String(i));
    if (whose.length !== rows)
      throw new DataError(`tensor "${name}" has ${rows} rows for ${whose.length} ids.`);
    return named(whose, values, kind);
  });
}

async function fromParquet(
  { file, id = 'id', features = 'features' }: FactorFile,
  kind: 'user' | 'track',
): Promise<NamedFactors> {
  if (!existsSync(file)) throw new DataError(`There is no "${file}" with the factors of ${kind}s.`);
  const from = parquetOf(file);
  return withDuckDB(`reading "${file}"`, async function* (connection) {
    try {
      const [x, ids] = [identifier(features), identifier(id)];
      const about = await connection.runAndReadAll(
        `select count(*)::integer, min(len(${x}))::integer, max(len(${x}))::integer, count(distinct ${ids})::integer from ${from}`,
      );
      const [rows, least, width, distinct] = about.getRows()[0] as number[];
      if (rows === 0 || least !== width || distinct !== rows) {
        throw new DataError(
          `"${file}" has ${rows} rows of ${least} to ${width} factors and ${distinct} different ids; as many factors in each row, and ids that differ, were expected.`,
        );
      }
      const named = await connection.run(`select ${ids}::varchar from ${from} order by ${ids}`);
      const names: string[] = [];
      for await (const chunk of named) names.push(...(valuesOf(chunk, 0) as string[]));
      const values = float32(rows * width);
      const result = await connection.run(
        `select unnest(${x})::float from (select ${x} from ${from} order by ${ids})`,
      );
      let at = 0;
      for await (const chunk of result) {
        const items = typedItems(chunk.getColumnVector(0));
        if (items instanceof Float32Array) values.set(items.subarray(0, chunk.rowCount), at);
        else values.set(chunk.getColumnValues(0).map(Number), at);
        at += chunk.rowCount;
        if (yield) throw stopped();
      }
      return { ids: Vocabulary.inOrder(names, { kind }), values, width };
    } catch (error) {
      throw error instanceof DataError ? error : fileError(error, file);
    }
  });
}
