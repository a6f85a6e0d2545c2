import type { Model } from '../nn/model.js';

/** Says which parameter of a model holds a value that is not finite, and where; undefined if none does. */
export function notFinite({ parameters }: Model): string | undefined {
  for (const { name, value } of parameters) {
    for (let i = 0; i < value.length; i++) {
      if (!Number.isFinite(value[i])) return `parameter ${name} holds a value that is not finite (${value[i]} at position ${i})`;
    }
  }
  return undefined;
}
