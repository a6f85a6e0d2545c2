import { DataError, NumericError, RecitalError } from '../../errors.js';

/** An error that says in what it was found. */
export function namedError(error: unknown, name: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof NumericError) return new NumericError(`${name}: ${message}`);
  if (error instanceof RecitalError || code !== undefined)
    return new DataError(`${name}: ${message}`);
  return error;
}
