import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { CancelValidException } from '../../../../lib/recital/learner/callback.js';
import { CSVLogger } from '../../../../lib/recital/learner/callbacks/logging.js';
import { SaveModel } from '../../../../lib/recital/learner/callbacks/trackers.js';
import { AvgMetric, mae, mse } from '../../../../lib/recital/learner/metrics.js';
import { displayed, interruptAt, makeLearner, rejection } from '../../../support/learner.js';

describe('CSVLogger', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'recital-csv-'));
    file = path.join(folder, 'history.csv');
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const lines = (): string[] => readFileSync(file, 'utf8').split('\n');

  it('writes the training table in full precision, and reads it back', async () => {
    const learn = makeLearner({ path: folder, metrics: mae });
    const csv = new CSVLogger();
    await learn.fit(3, 0.02, { cbs: csv });
    expect(lines()).to.have.length(5);
    expect(lines()[0]).to.equal('epoch,train_loss,valid_loss,mae,time');
    expect(lines()[4]).to.equal('');
    const log = csv.readLog();
    expect(log.columnNames).to.deep.equal(learn.recorder.metricNames);
    for (const [epoch, [train, valid, error]] of learn.recorder.values.entries()) {
      expect(log.row(epoch)).to.include({
        epoch,
        train_loss: train,
        valid_loss: valid,
        mae: error,
      });
    }
  });

  it('leaves a field empty where validation was left out, and quotes names', async () => {
    const skip = {
      name: 'skip',
      beforeValidate() {
        throw new CancelValidException();
      },
    };
    const metrics = new AvgMetric(mae, { name: 'error, "mean"' });
    const csv = new CSVLogger({ fname: 'logs/deep/run.csv' });
    await makeLearner({ path: folder, metrics }).fit(1, 0.02, { cbs: [skip, csv] });
    const text = readFileSync(path.join(folder, 'logs/deep/run.csv'), 'utf8');
    expect(text).to.match(
      /^epoch,train_loss,valid_loss,"error, ""mean""",time\n0,[\d.]+,,,[\d.]+\n$/,
    );
    expect(csv.readLog().columnNames[3]).to.equal('error, "mean"');
    expect(csv.readLog().numbers('valid_loss')[0]).to.be.NaN;
  });

  it('begins anew, or appends if told', async () => {
    const learn = makeLearner({ path: folder, bs: 600 });
    const epochs = (): string => new CSVLogger({ fname: file }).readLog().numbers('epoch').join();
    await learn.fit(2, 1e-3, { cbs: new CSVLogger() });
    await learn.fit(3, 1e-3, { cbs: new CSVLogger() });
    expect(epochs()).to.equal('0,1,2');
    await learn.fit(2, 1e-3, { cbs: new CSVLogger({ append: true }) });
    expect(epochs()).to.equal('0,1,2,0,1');
    expect(lines().filter((line) => line.startsWith('epoch'))).to.have.length(1);
  });

  it('drops a line that a crash has cut off', async () => {
    const learn = makeLearner({ path: folder, bs: 600 });
    await learn.fit(2, 1e-3, { cbs: new CSVLogger() });
    appendFileSync(file, '2,0.93');
    await learn.fit(1, 1e-3, { cbs: new CSVLogger({ append: true }) });
    expect(lines().map((line) => line.split(',')[0])).to.deep.equal(['epoch', '0', '1', '0', '']);
    expect(lines().every((line) => line === '' || line.split(',').length === 4)).to.equal(true);
  });

  it('refuses to append to a file with other columns, and leaves it as it is', async () => {
    writeFileSync(file, 'epoch,something\n0,1\n');
    const learn = makeLearner({ path: folder, metrics: mse });
    const error = await rejection(learn.fit(1, 1e-3, { cbs: new CSVLogger({ append: true }) }));
    expect(error)
      .to.contain('DataError')
      .and.to.contain(
        'has other columns (epoch,something) than this run (epoch,train_loss,valid_loss,mse,time)',
      );
    expect(readFileSync(file, 'utf8')).to.equal('epoch,something\n0,1\n');
    await learn.fit(1); // the learner is as usable as before
  });

  it('goes on below its rows when a run is resumed, in this process or another', async () => {
    const rows = (text: string): string[] =>
      text.split('\n').map((line) => line.replace(/,[^,]*$/, '')); // without the time
    const options = { path: folder, metrics: mae };
    const whole = makeLearner(options);
    await whole.fitOneCycle(4, 0.05, {
      cbs: [new CSVLogger(), new SaveModel({ everyEpoch: true, withOpt: true })],
    });
    const expected = rows(readFileSync(file, 'utf8'));
    const parts = makeLearner(options);
    await displayed(() =>
      parts.fitOneCycle(4, 0.05, { cbs: [new CSVLogger(), interruptAt(2, 7)] }),
    );
    expect(lines()).to.have.length(4);
    await parts.resume();
    expect(rows(readFileSync(file, 'utf8'))).to.deep.equal(expected);
    // a process that died in its third epoch, after the file of the second: the rows after that are
    // learnt again
    const other = makeLearner(options).load('model_1');
    await other.resume({ cbs: new CSVLogger() });
    expect(rows(readFileSync(file, 'utf8'))).to.deep.equal(expected);
  });

  it('has no part in lrFind', async () => {
    const learn = makeLearner({ path: folder, bs: 600, cbs: new CSVLogger() });
    await learn.fit(1);
    const before = readFileSync(file, 'utf8');
    await learn.lrFind({ showPlot: false });
    expect(readFileSync(file, 'utf8')).to.equal(before);
  });
});
