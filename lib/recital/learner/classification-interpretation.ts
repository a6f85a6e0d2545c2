import { Chart, display } from '../data/display.js';

import { Table } from '../data/table.js';
import { ArgumentError } from '../errors.js';
import { checkOptions, said } from '../options.js';
import {
  type Calibration,
  type CalibrationCurveOptions,
  calibrationCurve,
  Interpretation,
  type InterpretedRows,
} from './interpretation.js';
import type { Learner } from './learner.js';

/** Options of {@link ClassificationInterpretation.plotConfusionMatrix}. */
export interface ConfusionMatrixOptions {
  /** Write shares of each row instead of counts; default false. */
  normalize?: boolean;
  /** Decimals of the shares; default 2. */
  normDec?: number;
  /** Printed above the chart; default `'Confusion matrix'`. */
  title?: string;
}

/**
 * Interpretation of a model that decides between 0 and 1, such as whether a listener comes back to
 * a track (fastai's ClassificationInterpretation).
 * @example
 * const interp = await ClassificationInterpretation.fromLearner(learn);
 * interp.plotConfusionMatrix();
 */
export class ClassificationInterpretation extends Interpretation {
  /** @throws ArgumentError unless all targets and decisions are 0 or 1 */
  constructor(learn: Learner, of: InterpretedRows) {
    super(learn, of);
    const binary = (y: number): boolean => y === 0 || y === 1;
    const target = of.targets.find((y) => !binary(y));
    if (target !== undefined) {
      throw new ArgumentError(
        `A confusion matrix needs the targets 0 and 1, got ${said(target)}. Make the loaders with target 'binary', or take Interpretation instead.`,
      );
    }
    if (of.preds.length !== of.targets.length || !of.decoded.every(binary)) {
      const { name } = learn.lossFunc;
      throw new ArgumentError(
        `${name} does not decide between 0 and 1. Train with BCEWithLogitsLossFlat, or take Interpretation instead.`,
      );
    }
  }

  /**
   * How often each class was taken for each. Columns: actual (`'0'`, `'1'`), `predicted 0`,
   * `predicted 1`. A row is decided as 1 if its probability exceeds the loss's `thresh`.
   */
  confusionMatrix(): Table {
    const [[tn, fp], [fn, tp]] = this.counts();
    return new Table({
      actual: ['0', '1'],
      'predicted 0': Float64Array.of(tn, fn),
      'predicted 1': Float64Array.of(fp, tp),
    });
  }

  /**
   * Draws the confusion matrix: actual classes down, predicted ones across. The colour is the share
   * of the row, whether that is written or the count.
   * @returns the chart, which is shown
   */
  plotConfusionMatrix(options: ConfusionMatrixOptions = {}): Chart {
    checkOptions(options, ['normalize', 'normDec', 'title'], 'plotConfusionMatrix');
    const { normalize = false, normDec = 2, title = 'Confusion matrix' } = options;
    if (!(Number.isInteger(normDec) && normDec >= 0 && normDec <= 20))
      throw new ArgumentError(`normDec must be a number of decimals, got ${said(normDec)}.`);
    const counts = this.counts();
    const values = counts.flatMap((row, actual) =>
      row.map((count, predicted) => {
        const all = row[0] + row[1];
        const share = all > 0 ? count / all : 0;
        const text = normalize ? share.toFixed(normDec) : count.toLocaleString('en');
        return {
          actual: String(actual),
          predicted: String(predicted),
          count,
          share,
          text,
          strong: share > 0.5,
        };
      }),
    );
    const axis = { domain: false, ticks: false, labelFontSize: 13, labelAngle: 0 };
    const encoding = {
      x: { field: 'predicted', type: 'nominal', title: 'predicted', axis },
      y: { field: 'actual', type: 'nominal', title: 'actual', axis: { ...axis, titleAngle: -90 } },
      tooltip: [
        { field: 'actual' },
        { field: 'predicted' },
        { field: 'count' },
        { field: 'share', format: '.3f' },
      ],
    };
    const color = {
      field: 'share',
      type: 'quantitative',
      legend: null,
      scale: { scheme: 'blues', domain: [0, 1] },
    };
    const ink = { condition: { test: 'datum.strong', value: '#ffffff' }, value: '#222222' };
    const layer = [
      { mark: { type: 'rect', stroke: '#ffffff' }, encoding: { color } },
      { mark: { type: 'text', fontSize: 15 }, encoding: { text: { field: 'text' }, color: ink } },
    ];
    const [[tn, fp], [fn, tp]] = counts;
    const n = (x: number): string => x.toLocaleString('en');
    const alt =
      `Confusion matrix of ${n(this.length)} rows: of ${n(tn + fp)} with target 0, ${n(fp)} were taken for 1; ` +
      `of ${n(fn + tp)} with target 1, ${n(fn)} were taken for 0.`;
    const chart = new Chart(
      { width: 220, height: 220, data: { values }, encoding, layer },
      title,
      alt,
    );
    display().chart(chart);
    return chart;
  }

  /**
   * How far the predicted probabilities can be taken at their word: see {@link calibrationCurve}.
   */
  calibration(options: CalibrationCurveOptions = {}): Calibration {
    return calibrationCurve(this.preds, this.targets, options);
  }

  /**
   * Draws {@link calibration}.
   * @returns the chart, which is shown
   */
  plotCalibration(options: CalibrationCurveOptions = {}): Chart {
    return this.calibration(options).plotCalibration();
  }

  /** counts[actual][predicted]. */
  private counts(): [[number, number], [number, number]] {
    const counts: [[number, number], [number, number]] = [
      [0, 0],
      [0, 0],
    ];
    for (let i = 0; i < this.length; i++) counts[this.targets[i]][this.decoded[i]]++;
    return counts;
  }
}
