import { addColumnSums } from '../compute/column-sums.js';
import { matmul } from '../compute/matmul.js';
import { Random } from '../compute/random.js';
import { checkArgument, checkOptions } from '../options.js';
import { printed } from '../printed.js';
import type { Module, StateBuffer } from './module.js';
import { Parameter } from './parameter.js';
import { checkLayerName, checkRows, checkWidth, Scratch } from './scratch.js';

/** Options of Linear. */
export interface LinearOptions {
  /** Whether there is a bias; default true. */
  bias?: boolean;
  /** Prefix of its parameters' names; default `linear`. */
  name?: string;
  /** What the weights are drawn from. */
  random: Random;
}

/**
 * y = W·x + b for each row x; PyTorch's `nn.Linear`. W is outputs × inputs; weight and bias start
 * uniform in ±1/√inputs. Weight decay spares the bias, as in fastai.
 * @example new Linear(100, 50, { random: new Random(42) })
 */
export class Linear implements Module {
  /** W, outputs × inputs. */
  readonly weight: Parameter;
  /** b, if there is one. */
  readonly bias: Parameter | undefined;
  readonly parameters: readonly Parameter[];
  readonly buffers: readonly StateBuffer[] = [];
  private readonly what: string;
  private input: Float32Array = new Float32Array(0);
  private size = 0;
  private readonly room = {
    input: new Scratch(),
    out: new Scratch(),
    gradient: new Scratch(),
    inputGradient: new Scratch(),
  };

  /**
   * @param inputs values of a row that goes in
   * @param outputs values of a row that comes out
   * @param options see LinearOptions
   */
  constructor(
    readonly inputs: number,
    readonly outputs: number,
    options: LinearOptions,
  ) {
    checkOptions(options, ['random', 'bias', 'name'], 'Linear');
    const { bias = true, name = 'linear', random } = options;
    checkLayerName(name);
    checkArgument(
      random instanceof Random,
      random,
      'Linear',
      'random, such as { random: new Random(42) }',
    );
    this.what = `Linear ${name}`;
    checkWidth(inputs, `${this.what}: inputs`);
    checkWidth(outputs, `${this.what}: outputs`);
    const uniform = (p: Parameter): Parameter => {
      const draw = random.child(p.name);
      for (let i = 0; i < p.value.length; i++)
        p.value[i] = (2 * draw.uniform() - 1) / Math.sqrt(inputs);
      return p;
    };
    this.weight = uniform(new Parameter(`${name}.weight`, [outputs, inputs]));
    this.bias = bias
      ? uniform(new Parameter(`${name}.bias`, [outputs], { decay: false }))
      : undefined;
    this.parameters = this.bias ? [this.weight, this.bias] : [this.weight];
  }

  forward(input: Float32Array, size: number): Float32Array {
    const { inputs, outputs, weight, bias } = this;
    checkRows(input, { size, width: inputs, what: `${this.what}: the input` });
    this.input = this.room.input.shared(input);
    this.size = size;
    const out = this.room.out.get(size * outputs);
    matmul(
      { m: size, n: outputs, k: inputs },
      {
        a: { values: this.input, rowStride: inputs },
        b: { values: weight.value, rowStride: 1, columnStride: inputs }, // W transposed
        c: { values: out, rowStride: outputs },
        bias: bias?.value,
      },
    );
    return out;
  }

  backward(gradient: Float32Array): Float32Array {
    const { inputs, outputs, weight, bias, size } = this;
    checkRows(gradient, { size, width: outputs, what: `${this.what}: the gradient` });
    const d = this.room.gradient.shared(gradient);
    matmul(
      { m: outputs, n: inputs, k: size },
      {
        a: { values: d, rowStride: 1, columnStride: outputs },
        b: { values: this.input, rowStride: inputs },
        c: { values: weight.grad, rowStride: inputs },
        add: true,
      },
    );
    if (bias) addColumnSums(d, size, bias.grad);
    const out = this.room.inputGradient.get(size * inputs);
    matmul(
      { m: size, n: inputs, k: outputs },
      {
        a: { values: d, rowStride: outputs },
        b: { values: weight.value, rowStride: inputs },
        c: { values: out, rowStride: inputs },
      },
    );
    return out;
  }
}

printed(
  Linear,
  ({ inputs, outputs, bias }) =>
    `Linear(in_features=${inputs}, out_features=${outputs}, bias=${bias ? 'True' : 'False'})`,
);
