import { expect } from 'chai';
import { pageStyle } from '../../lib/cli/page-style.js';

/** Relative luminance of a colour such as #1f2328 (WCAG 2). */
function luminance(colour: string): number {
  const digits = colour.slice(1).length === 3 ? [...colour.slice(1)].map((c) => c + c) : (colour.slice(1).match(/../g) as string[]);
  const [r, g, b] = digits.map((pair) => {
    const c = Number.parseInt(pair, 16) / 255;
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

describe('the style of a page', () => {
  const css = pageStyle();
  const at = css.indexOf('@media screen and (prefers-color-scheme: dark)');
  const themes = { light: css.slice(0, at), dark: css.slice(at) };
  const variable = (theme: string, name: string): string => new RegExp(`--${name}: (#[0-9a-f]+)`).exec(theme)?.[1] ?? expect.fail(`--${name}`);

  for (const [name, theme] of Object.entries(themes)) {
    it(`has text and code that stand out from what is behind them: ${name}`, () => {
      for (const text of ['text', 'dim', 'link']) {
        for (const back of ['back', 'soft']) expect(contrast(variable(theme, text), variable(theme, back)), `${text} on ${back}`).to.be.above(4.5);
      }
      for (const back of ['bad', 'warn']) expect(contrast(variable(theme, 'text'), variable(theme, back)), back).to.be.above(4.5);
      const colours = [...theme.matchAll(/\.hljs[^{}]*\{[^}]*?(?<!-)color:(#[0-9a-f]{3,6})/g)].map((match) => match[1]);
      expect(colours).to.have.length.above(8);
      const soft = variable(theme, 'soft');
      for (const colour of colours) expect(contrast(colour, soft), `${colour} on ${soft}`).to.be.above(4.5);
    });
  }

  it('turns charts dark, but not other pictures, and nothing on paper', () => {
    expect(themes.dark).to.match(/\.chart > :is\(img, div\) \{ filter: invert\(1\)/);
    expect(css.match(/prefers-color-scheme/g)).to.have.length(1);
    expect(themes.light).to.contain('@media print');
  });

  it('makes charts and pictures no wider than the page, and lets tables scroll in a box of their own', () => {
    expect(css).to.match(/figure :is\(img, svg\) \{[^}]*max-width: 100%; height: auto/);
    expect(css).to.match(/\.wide, \.html, figure \{ overflow-x: auto/);
  });
});
