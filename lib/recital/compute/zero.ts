import { native } from './threads.js';

/** Fills an array on the shared memory with zeros. */
export function zero(values: Float32Array): void {
  if (!native('zero', values.length, [values.byteOffset])) values.fill(0);
}
