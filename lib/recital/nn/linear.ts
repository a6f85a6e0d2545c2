import { addColumnSums, matmul } from '../compute/matmul.js';
import type { Random } from '../compute/random.js';
import { checkCount, given } from '../options.js';
import { printed } from '../printed.js';
import type { Module, StateBuffer } from './module.js';
import { checkLayerName, checkRandom, checkRows, Scratch } from './module.js';
import { initUniform, Parameter } from './parameter.js';

const DEFAULTS = {
  /** Source of the initial weights. */
  random: undefined as Random | undefined,
  /** Whether there is a bias. */
  bias: true,
  /** Prefix of its parameters' names. */
  name: 'linear',
};

/** Options of Linear. */
export type LinearOptions = Partial<typeof DEFAULTS> & { random: Random };

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
   * @param inputs values of an input row
   * @param outputs values of an output row
   * @param options see LinearOptions
   */
  constructor(
    readonly inputs: number,
    readonly outputs: number,
    options: LinearOptions,
  ) {
    const { bias, name, random } = given(DEFAULTS, options, 'Linear');
    checkLayerName(name);
    checkRandom(random, 'Linear');
    this.what = `Linear ${name}`;
    checkCount(inputs, `${this.what}: inputs`);
    checkCount(outputs, `${this.what}: outputs`);
    this.weight = initUniform(new Parameter(`${name}.weight`, [outputs, inputs]), inputs, random);
    this.parameters = [this.weight];
    if (!bias) return;
    this.bias = new Parameter(`${name}.bias`, [outputs], { decay: false });
    this.parameters = [this.weight, initUniform(this.bias, inputs, random)];
  }

  forward(input: Float32Array, size: number): Float32Array {
    const { inputs, outputs } = this;
    checkRows(input, { size, width: inputs, what: `${this.what}: the input` });
    this.input = this.room.input.shared(input);
    this.size = size;
    const out = this.room.out.get(size * outputs);
    affine(this.input, this.weight.value, out, { inputs, outputs, bias: this.bias?.value });
    return out;
  }

  backward(gradient: Float32Array): Float32Array {
    const { inputs, outputs, size } = this;
    checkRows(gradient, { size, width: outputs, what: `${this.what}: the gradient` });
    const d = this.room.gradient.shared(gradient);
    addWeightGradient(d, this.input, this.weight.grad, { inputs, outputs });
    if (this.bias) addColumnSums(d, size, this.bias.grad);
    const out = this.room.inputGradient.get(size * inputs);
    inputGradient(d, this.weight.value, out, { inputs, outputs });
    return out;
  }
}

/** Widths of the rows that a matrix of weights, outputs × inputs, leads from and to. */
interface Widths {
  readonly inputs: number;
  readonly outputs: number;
}

/** out = X·Wᵀ + b, on the shared memory: a row of `out` for each row of X. */
export function affine(
  x: Float32Array,
  w: Float32Array,
  out: Float32Array,
  { inputs, outputs, bias }: Widths & { bias?: Float32Array },
): void {
  matmul(
    { m: out.length / outputs, n: outputs, k: inputs },
    {
      a: { values: x, rowStride: inputs },
      b: { values: w, rowStride: 1, columnStride: inputs },
      c: { values: out, rowStride: outputs },
      bias,
    },
  );
}

/** grad += Dᵀ·X, the gradient of the weights, for the gradients D of the output rows. */
export function addWeightGradient(
  d: Float32Array,
  x: Float32Array,
  grad: Float32Array,
  { inputs, outputs }: Widths,
): void {
  matmul(
    { m: outputs, n: inputs, k: d.length / outputs },
    {
      a: { values: d, rowStride: 1, columnStride: outputs },
      b: { values: x, rowStride: inputs },
      c: { values: grad, rowStride: inputs },
      add: true,
    },
  );
}

/** out = D·W, the gradient of the input rows. */
export function inputGradient(
  d: Float32Array,
  w: Float32Array,
  out: Float32Array,
  { inputs, outputs }: Widths,
): void {
  matmul(
    { m: out.length / inputs, n: inputs, k: outputs },
    {
      a: { values: d, rowStride: outputs },
      b: { values: w, rowStride: inputs },
      c: { values: out, rowStride: inputs },
    },
  );
}

printed(
  Linear,
  ({ inputs, outputs, bias }) =>
    `Linear(in_features=${inputs}, out_features=${outputs}, bias=${bias ? 'True' : 'False'})`,
);
