import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Colours of GitHub's themes that are too faint on the background of code (contrast below 4.5 : 1), and darker or brighter ones in their place. */
const legible: Record<string, string> = { '#d73a49': '#cf222e', '#e36209': '#953800', '#22863a': '#116329', '#1f6feb': '#4493f8' };

/** The style sheet of a page: its own rules and the colours of the code, light and on paper, or dark. */
export function pageStyle(): string {
  const folder = join(dirname(require.resolve('highlight.js/package.json')), 'styles');
  const [light, dark] = ['github.min.css', 'github-dark.min.css'].map((file) => {
    const css = readFileSync(join(folder, file), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
    return css.replace(/#[0-9a-f]{6}/g, (colour) => legible[colour] ?? colour);
  });
  return `${light}\n${rules}\n@media screen and (prefers-color-scheme: dark) {\n${dark}\n${darkRules}}`;
}

const rules = `
:root { color-scheme: light; --back: #fff; --text: #1f2328; --soft: #f6f8fa; --line: #d1d9e0; --dim: #59636e; --link: #0969da; --bad: #ffebe9; --badline: #cf222e; --warn: #fff8c5; }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1rem; }
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.6 system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; }
main, footer { max-width: 64rem; margin: 0 auto; padding: 1.5rem 1.25rem; }
a { color: var(--link); }
h1, h2, h3, h4 { line-height: 1.25; margin: 1.6em 0 0.5em; }
h1 { font-size: 1.9rem; margin-top: 0.4em; }
h2 { font-size: 1.45rem; border-bottom: 1px solid var(--line); padding-bottom: 0.2em; }
.anchor { visibility: hidden; text-decoration: none; font-weight: 400; color: var(--dim); }
:is(h1, h2, h3, h4):hover .anchor { visibility: visible; }
pre, code { font-family: ui-monospace, 'SFMono-Regular', Menlo, Consolas, 'DejaVu Sans Mono', monospace; font-size: 0.86em; }
pre code { font-size: 0.86em; }
.prose { overflow-wrap: break-word; }
.prose :not(pre) > code { background: var(--soft); border-radius: 4px; padding: 0.15em 0.35em; }
.prose code.formula { font-style: italic; }
.prose table { border-collapse: collapse; }
.prose :is(th, td) { border: 1px solid var(--line); padding: 0.3em 0.8em; }
.prose img { max-width: 100%; }
math[display=block] { overflow-x: auto; overflow-y: hidden; padding-bottom: 0.2em; }
blockquote { margin: 1em 0; padding: 0 1em; border-left: 4px solid var(--line); color: var(--dim); }
.wide, .html, figure { overflow-x: auto; max-width: 100%; }
.cell { position: relative; margin: 1rem 0; }
summary { cursor: pointer; }
.source > summary { position: absolute; right: calc(100% + 0.6rem); top: 0.7rem; color: var(--dim); font: 0.75rem ui-monospace, Menlo, monospace; white-space: nowrap; list-style: none; }
.source > summary::-webkit-details-marker { display: none; }
.source > summary::after { content: ' ▾'; }
.source:not([open]) > summary { position: static; }
.source:not([open]) > summary::after { content: ' code ▸'; }
pre { margin: 0.5rem 0; padding: 0.7rem 0.9rem; border-radius: 6px; overflow-x: auto; line-height: 1.45; }
pre.code { background: var(--soft); border: 1px solid var(--line); }
pre.stdout { padding: 0.2rem 0.9rem; }
pre.stderr { background: var(--warn); }
pre.error { background: var(--bad); border-left: 4px solid var(--badline); }
.outputs { margin: 0.4rem 0 0; }
.html { padding: 0 0.9rem; }
.html table { font-size: 0.86rem !important; }
.html :is(th, td) { padding: 0.25em 0.5em !important; }
figure { margin: 0.6rem 0; padding: 0 0.9rem; }
figure :is(img, svg) { display: block; max-width: 100%; height: auto; }
figure img { background: #fff; }
footer { color: var(--dim); font-size: 0.85rem; padding-bottom: 4rem; }
nav { font-size: 0.88rem; padding: 1rem 1.25rem 0; max-width: 64rem; margin: 0 auto; }
nav summary { font-weight: 600; }
nav ol { list-style: none; margin: 0.5rem 0 0; padding: 0; }
nav li { margin: 0.2rem 0; }
nav .depth2 { padding-left: 1rem; }
nav .depth3 { padding-left: 2rem; }
nav a { text-decoration: none; }
button { font: inherit; color: var(--text); background: var(--soft); border: 1px solid var(--line); border-radius: 6px; padding: 0.15rem 0.7rem; margin-top: 0.6rem; cursor: pointer; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
@media (min-width: 92rem) {
  nav { position: fixed; top: 1.5rem; left: 1.5rem; width: calc(50vw - 32rem - 5.5rem); max-width: 18rem; max-height: calc(100vh - 3rem); overflow-y: auto; padding: 0; }
}
@media (max-width: 70rem) { .source > summary { position: static; } .source > pre { margin-top: 0.2rem; } }
@media (max-width: 40rem) { main, nav, footer { padding-left: 0.9rem; padding-right: 0.9rem; } .html, figure, pre.stdout { padding-left: 0; padding-right: 0; } .html table { font-size: 0.8rem !important; } }
@media print {
  body { font-size: 10pt; }
  nav, .anchor, .source:not([open]) { display: none; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; }
  .wide, .html, figure { overflow: visible; }
  .html table { font-size: 7.5pt !important; }
  figure, tr, pre { break-inside: avoid; }
  h1, h2, h3, h4 { break-after: avoid; }
}
`;

// A chart is drawn for a white page. Inverted, with the hues turned back, it is one for a black page, and blended so that black lets the page shine
// through. It works alike for the picture, the interactive chart, and colours that a chart has chosen itself.
const darkRules = `
:root { color-scheme: dark; --back: #0d1117; --text: #e6edf3; --soft: #161b22; --line: #3d444d; --dim: #9198a1; --link: #4493f8; --bad: #3c1618; --badline: #f85149; --warn: #2e2a12; }
.chart > :is(img, div) { filter: invert(1) hue-rotate(180deg); mix-blend-mode: screen; }
`;
