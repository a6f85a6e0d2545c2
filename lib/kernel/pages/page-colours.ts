import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Colours of GitHub's themes that are too faint on the background of code (contrast below 4.5 : 1),
 * and darker or brighter ones in their place.
 */
const legible: Record<string, string> = {
  '#d73a49': '#cf222e',
  '#e36209': '#953800',
  '#22863a': '#116329',
  '#1f6feb': '#4493f8',
};

/**
 * The colours of pages and of the code in them, light (on paper as well) and dark: two style
 * sheets, of which the dark one comes on top.
 */
export function pageColours(): { light: string; dark: string } {
  const folder = join(dirname(require.resolve('highlight.js/package.json')), 'styles');
  const code = (file: string): string => {
    const css = readFileSync(join(folder, file), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
    return css.replace(/#[0-9a-f]{6}/g, (colour) => legible[colour] ?? colour);
  };
  return {
    light: `${code('github.min.css')}\n${light}`,
    dark: `${code('github-dark.min.css')}\n${dark}`,
  };
}

const light = `
:root { color-scheme: light; --back: #fff; --text: #1f2328; --soft: #f6f8fa; --line: #d1d9e0; --dim: #59636e; --link: #0969da; --bad: #ffebe9; --badline: #cf222e; --warn: #fff8c5; }
`;

// A chart is drawn for a white page. Inverted, with the hues turned back, it is one for a black
// page, and blended so that black lets the page shine through. It works alike for the picture, the
// interactive chart, and colours that a chart has chosen itself.
const dark = `
:root { color-scheme: dark; --back: #0d1117; --text: #e6edf3; --soft: #161b22; --line: #3d444d; --dim: #9198a1; --link: #4493f8; --bad: #3c1618; --badline: #f85149; --warn: #2e2a12; }
.chart > img, .chart > .drawn { filter: invert(1) hue-rotate(180deg); mix-blend-mode: screen; }
`;
