import { expect } from 'chai';
import { pageStyle } from '../../../lib/kernel/pages/style.js';
import { paperConfig } from '../../../lib/recital/display/charts/common.js';
import { contrast } from '../../support/colour.js';

describe('the style of a page', () => {
  const { base, dark } = pageStyle();
  const themes = { light: base, dark };
  const variable = (theme: string, name: string): string => {
    const colour =
      new RegExp(`--${name}: (#[0-9a-f]+)`).exec(theme)?.[1] ?? expect.fail(`--${name}`);
    return six(colour);
  };
  const six = (colour: string): string =>
    colour.length === 4 ? `#${[...colour.slice(1)].map((c) => c + c).join('')}` : colour;

  for (const [name, theme] of Object.entries(themes)) {
    it(`has text and code that stand out from what is behind them: ${name}`, () => {
      for (const text of ['text', 'dim', 'link']) {
        for (const back of ['back', 'soft'])
          expect(
            contrast(variable(theme, text), variable(theme, back)),
            `${text} on ${back}`,
          ).to.be.above(4.5);
      }
      for (const back of ['bad', 'warn'])
        expect(contrast(variable(theme, 'text'), variable(theme, back)), back).to.be.above(4.5);
      const colours = [...theme.matchAll(/\.hljs[^{}]*\{[^}]*?(?<!-)color:(#[0-9a-f]{3,6})/g)].map(
        (match) => six(match[1]),
      );
      expect(colours).to.have.length.above(8);
      const soft = variable(theme, 'soft');
      for (const colour of colours)
        expect(contrast(colour, soft), `${colour} on ${soft}`).to.be.above(4.5);
    });
  }

  it('turns charts dark, but not other pictures, and nothing on paper', () => {
    expect(dark).to.match(
      /\.chart > img,\s*\.chart > \.drawn \{ filter: invert\(1\) hue-rotate\(180deg\)/,
    );
    expect(base).not.to.contain('prefers-color-scheme'); // the sheet of the dark is for screens alone: see the frame of the page
    expect(base).to.contain('@media print').and.not.to.contain('invert');
  });

  it('leaves the texts of charts legible when they are turned dark', () => {
    const config = JSON.stringify(paperConfig);
    const texts = [...config.matchAll(/"(?:label|title|subtitle)?[cC]olor":"(#[0-9a-f]{6})"/g)].map(
      (match) => match[1],
    );
    const greys = [...new Set(texts)].filter((colour) => /^#(..)\1\1$/.test(colour));
    expect(greys).to.include.members(['#000000', '#333333', '#555555']);
    for (const grey of greys) {
      const inverted = `#${(255 - Number.parseInt(grey.slice(1, 3), 16)).toString(16).padStart(2, '0').repeat(3)}`;
      expect(contrast(inverted, variable(dark, 'back')), grey).to.be.above(4.5);
      expect(contrast(grey, '#ffffff'), grey).to.be.above(4.5);
    }
  });

  it('makes charts and pictures no wider than the page, and lets tables scroll in a box of their own', () => {
    expect(base).to.match(/figure img,\s*figure svg \{[^}]*max-width: 100%; height: auto/);
    expect(base).to.match(/\.wide, \.html, figure \{ overflow-x: auto/);
  });
});
