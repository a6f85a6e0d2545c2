import { ArgumentError } from '../errors.js';
import { EmbeddingDotBias } from '../models/embedding-dot-bias.js';
import type { Model } from '../nn/model.js';
import type { Parameter } from '../nn/parameter.js';
import { checkArgument, whatIs } from '../options.js';

/**
 * Splits an EmbeddingDotBias into biases | factors. Biases (how popular an item is, how much a user
 * plays) rest on all rows of a user or item and settle first; taste is in the factors. So the
 * factors are the last group: `freeze()` trains them with the biases held, and a slice gives the
 * biases the smaller rate.
 * @param model an EmbeddingDotBias
 * @example
 * const learn = collabLearner(dls, { splitter: biasSplitter });
 * await learn.fitOneCycle(5, slice(1e-3, 5e-3)); // biases 1e-3, factors 5e-3
 */
export function biasSplitter(model: Model): readonly (readonly Parameter[])[] {
  if (!(model instanceof EmbeddingDotBias)) {
    throw new ArgumentError(
      `biasSplitter is for EmbeddingDotBias, the model is ${whatIs(model)}: give a splitter of its own.`,
    );
  }
  return [
    [model.uBias, model.iBias],
    [model.uWeight, model.iWeight],
  ];
}

/**
 * Splits a model into embeddings | all other layers: `freeze()` trains the layers on top of
 * embeddings that stay as they are.
 * @param model a model with embeddings, such as EmbeddingNN
 * @example
 * const learn = collabLearner(dls, { useNn: true, splitter: embeddingSplitter });
 * learn.freeze(); // the embeddings stay as they are
 */
export function embeddingSplitter(model: Model): readonly (readonly Parameter[])[] {
  checkArgument(
    Array.isArray(model?.parameters),
    model,
    'embeddingSplitter',
    'a model, such as new EmbeddingNN(dls.classes)',
  );
  const tables = model.parameters.filter((p) => p.slots);
  const others = model.parameters.filter((p) => !p.slots);
  if (!tables.length || !others.length) {
    throw new ArgumentError(
      `embeddingSplitter needs a model of embeddings and other layers; ${model.constructor.name} has only one of them.`,
    );
  }
  return [tables, others];
}
