import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { float32 } from '../compute/memory.js';
import { fileError, identifier, literal, pathLiteral, typedItems, withDuckDB } from '../data/duckdb.js';
import { openSafetensors } from '../data/safetensors.js';
import { Vocabulary } from '../data/vocabulary.js';
import { ArgumentError, DataError } from '../errors.js';
import type { Id } from './recommender.js';

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
  /** Safetensors: name of the tensor, float32 of rows × width; default `user_factors` and `item_factors`, which are the names that `implicit` uses. */
  readonly tensor?: string;
  /** Safetensors: whose the rows are; default: their numbers, '0', '1', … */
  readonly ids?: readonly Id[];
  /** Parquet: column with the id; default `id`, Spark's. */
  readonly id?: string;
  /** Parquet: column with the list of factors; default `features`, Spark's. */
  readonly features?: string;
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
export async function readFactors(source: FactorSource, kind: 'user' | 'track'): Promise<NamedFactors> {
  if (typeof source !== 'object' || source === null)
    throw new ArgumentError(`Factors of ${kind}s are { ids, values } or { file }, got ${typeof source}.`);
  if (!('file' in source)) return named(source.ids, source.values, kind);
  if (typeof source.file !== 'string') throw new ArgumentError(`file must be the path of the factors of ${kind}s, got ${typeof source.file}.`);
  return source.file.endsWith('.safetensors') ? fromSafetensors(source, kind) : fromParquet(source, kind);
}

function named(ids: readonly Id[], values: ArrayLike<number>, kind: 'user' | 'track'): NamedFactors {
  if (!Array.isArray(ids) || ids.length === 0) throw new ArgumentError(`The factors of ${kind}s need their ids, at least one.`);
  const width = values.length / ids.length;
  if (!(Number.isInteger(width) && width > 0)) throw new ArgumentError(`${values.length} factors do not make rows for ${ids.length} ${kind}s.`);
  const shared = float32(values.length);
  shared.set(values);
  return { ids: Vocabulary.inOrder(ids.map(String), { kind }), values: shared, width };
}

function fromSafetensors({ file, tensor, ids }: FactorFile, kind: 'user' | 'track'): NamedFactors {
  const name = tensor ?? (kind === 'user' ? 'user_factors' : 'item_factors');
  return openSafetensors(file, (st) => {
    const values = st.read(name, 'F32');
    const [rows, ...rest] = st.tensors.get(name)!.shape;
    if (rest.length !== 1) throw new DataError(`tensor "${name}" has ${1 + rest.length} dimensions; rows × width was expected.`);
    const whose = ids ?? Array.from({ length: rows }, (_, i) => String(i));
    if (whose.length !== rows) throw new DataError(`tensor "${name}" has ${rows} rows for ${whose.length} ids.`);
    return named(whose, values, kind);
  });
}

async function fromParquet({ file, id = 'id', features = 'features' }: FactorFile, kind: 'user' | 'track'): Promise<NamedFactors> {
  if (!existsSync(file)) throw new DataError(`There is no "${file}" with the factors of ${kind}s.`);
  const folder = statSync(file).isDirectory();
  const from = folder ? `read_parquet(${literal(path.join(path.resolve(file), '*.parquet'))})` : `read_parquet(${pathLiteral(file)})`;
  return withDuckDB(`reading "${file}"`, async (connection, turn) => {
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
      const names = (await connection.runAndReadAll(`select ${ids}::varchar from ${from} order by ${ids}`)).getColumns()[0] as string[];
      const values = float32(rows * width);
      const result = await connection.run(`select unnest(${x})::float from (select ${x} from ${from} order by ${ids})`);
      let at = 0;
      for await (const chunk of result) {
        const items = typedItems(chunk.getColumnVector(0));
        if (items instanceof Float32Array) values.set(items.subarray(0, chunk.rowCount), at);
        else values.set(chunk.getColumnValues(0).map(Number), at);
        at += chunk.rowCount;
        await turn();
      }
      return { ids: Vocabulary.inOrder(names, { kind }), values, width };
    } catch (error) {
      throw error instanceof DataError ? error : fileError(error, file);
    }
  });
}
