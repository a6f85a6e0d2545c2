import { expect } from 'chai';
import { Chart, display } from '../../../lib/recital/data/display.js';

import { Table } from '../../../lib/recital/data/table.js';
import {
  displaySymbol,
  html,
  inNotebook,
  installDisplay,
  Slot,
  show,
} from '../../../lib/recital/display/index.js';
import { printed } from '../../support/printed.js';

const table = new Table({ track: ['a'], plays: Float64Array.of(3) });
const chart = new Chart({ data: { values: [] }, mark: 'bar' }, 'Plays', 'One bar.');

describe('show, in a plain script', () => {
  it('prints a table as text, under its title', () => {
    expect(inNotebook()).to.equal(false);
    expect(printed(() => show(table, { title: 'Most played' }))).to.deep.equal([
      'Most played\ntrack  plays\na          3',
    ]);
  });

  it('prints what a chart shows, without drawing it', () => {
    expect(printed(() => show(chart))).to.deep.equal(['[Plays: One bar.]']);
  });

  it('prints a chart that its maker has shown, and that is then shown, once; a chart shown twice, twice', () => {
    installDisplay();
    const plot = (): Chart => {
      const made = new Chart({ data: { values: [] }, mark: 'bar' }, 'Loss', 'A line.');
      display().chart(made);
      return made;
    };
    expect(printed(() => show(plot()))).to.deep.equal(['[Loss: A line.]']);
    const own = new Chart(chart.spec, 'Own', 'One bar.');
    const twice = printed(() => {
      show(own);
      show(own);
    });
    expect(twice).to.have.length(2);
  });

  it('prints the text of HTML', () => {
    expect(printed(() => show(html('<b>done</b> &c', 'done')))).to.deep.equal(['done']);
    expect(printed(() => show(html('<b>done</b>')))).to.deep.equal(['done']);
  });

  it('prints the text of any object that shows itself', () => {
    expect(
      printed(() =>
        show({ [displaySymbol]: () => ({ 'text/html': '<hr>', 'text/plain': '----' }) }),
      ),
    ).to.deep.equal(['----']);
  });

  it('prints any other value as console.log does', () => {
    expect(printed(() => show(42))).to.deep.equal(['42']);
  });

  it('prints of a slot its final content alone', () => {
    const lines = printed(() => {
      const slot = new Slot();
      slot.update(html('<i>working</i>'));
      slot.show(table);
    });
    expect(lines).to.deep.equal([table.toString()]);
  });
});

describe('installDisplay', () => {
  it('gives the layers below a display that prints', () => {
    installDisplay();
    const lines = printed(() => {
      display().table(table);
      display().chart(chart);
      display().text('a line');
      display().warn('a warning');
    });
    expect(lines).to.deep.equal([table.toString(), '[Plays: One bar.]', 'a line', 'a warning']);
  });
});
