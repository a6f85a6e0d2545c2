import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The style sheets of a page: `base` holds everything but what differs in the dark. */
export function pageStyle(): { base: string; dark: string } {
  const { light, dark } = pageColours();
  return { base: `${light}${text}${cells}${bar}${wide}${narrow}${paper}`, dark };
}

const text = `
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 4rem; }
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.6 system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; }
main, footer { max-width: 64rem; margin: 0 auto; padding: 1.5rem 1.25rem; }
main:focus { outline: none; }
a { color: var(--link); }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.skip { position: fixed; z-index: 3; top: 0; left: 0; padding: 0.5rem 1rem; background: var(--back); transform: translateY(-120%); }
.skip:focus { transform: none; }
h1, h2, h3, h4, h5, h6 { line-height: 1.25; margin: 0; }
h1 { font-size: 1.9rem; }
h2 { font-size: 1.45rem; }
.heading { display: flex; align-items: baseline; margin: 1.6em 0 0.6em; }
.depth1 { margin-top: 0.6em; }
.depth2 { border-bottom: 1px solid var(--line); padding-bottom: 0.25em; }
.anchor { padding: 0 0.4em; text-decoration: none; color: var(--dim); opacity: 0; }
.heading:hover .anchor, .anchor:focus-visible { opacity: 1; }
pre, code { font-family: ui-monospace, 'SFMono-Regular', Menlo, Consolas, 'DejaVu Sans Mono', monospace; font-size: 0.86em; }
pre { margin: 0.5rem 0; padding: 0.7rem 0.9rem; border-radius: 6px; overflow-x: auto; font-size: 0.78rem; line-height: 1.5; }
pre code { font-size: inherit; }
pre.code { background: var(--soft); border: 1px solid var(--line); }
.prose { overflow-wrap: break-word; }
.prose :not(pre) > code { background: var(--soft); border-radius: 4px; padding: 0.15em 0.35em; }
.prose table { border-collapse: collapse; }
.prose th, .prose td { border: 1px solid var(--line); padding: 0.3em 0.8em; }
.prose img { max-width: 100%; }
.prose details { margin: 1em 0; padding: 0 0.9rem; border: 1px solid var(--line); border-radius: 6px; }
.prose summary { margin: 0 -0.9rem; padding: 0.4rem 0.9rem; font-weight: 600; }
math[display=block] { overflow-x: auto; overflow-y: hidden; padding-bottom: 0.2em; }
blockquote { margin: 1em 0; padding: 0 1em; border-left: 4px solid var(--line); color: var(--dim); }
`;

const cells = `
.wide, .html, figure { overflow-x: auto; max-width: 100%; }
.cell { position: relative; margin: 1rem 0; }
summary { cursor: pointer; }
.source > summary { position: absolute; right: calc(100% + 0.6rem); top: 0.7rem; color: var(--dim); font: 0.75rem ui-monospace, Menlo, monospace; white-space: nowrap; list-style: none; }
.source > summary::-webkit-details-marker { display: none; }
.source > summary::after { content: ' ▾'; }
.source:not([open]) > summary { position: static; }
.source:not([open]) > summary::after { content: ' code ▸'; }
pre.stdout { padding: 0.2rem 0.9rem; }
pre.stderr { background: var(--warn); }
@supports (scrollbar-width: thin) { .scrolls { scrollbar-width: thin; scrollbar-color: var(--dim) transparent; } }
.scrolls { border: 1px solid var(--line); border-radius: 6px; --left: 0rem; --right: 0rem; mask-image: linear-gradient(to right, #0004, #000 var(--left), #000 calc(100% - var(--right)), #0004); }
.scrolls.before { --left: 2.5rem; }
.scrolls.after { --right: 2.5rem; }
.failure { margin: 0.5rem 0 2rem; }
pre.error { background: var(--bad); border-left: 4px solid var(--badline); }
.outputs { margin: 0.4rem 0 0; }
.html { padding: 0 0.9rem; }
.html table { font-size: 0.86rem !important; }
.html th, .html td { padding: 0.25em 0.5em !important; }
figure { margin: 0.6rem 0; padding: 0 0.9rem; }
figure img, figure svg { display: block; max-width: 100%; height: auto; }
figure img { background: #fff; }
.drawn { width: fit-content; max-width: 100%; }
.drawn:focus-visible { outline-offset: -2px; }
.drawn .at { stroke: #d55e00 !important; stroke-width: 3px !important; opacity: 1 !important; }
#tip { position: fixed; z-index: 2; max-width: 24rem; padding: 0.35rem 0.6rem; border: 1px solid var(--line); border-radius: 6px; background: var(--soft); color: var(--text); font-size: 0.8rem; line-height: 1.4; white-space: pre-line; overflow-wrap: break-word; pointer-events: none; }
footer { color: var(--dim); font-size: 0.85rem; padding-bottom: 4rem; }
`;

const bar = `
header { position: sticky; z-index: 1; top: 0; display: flex; align-items: center; gap: 0.4rem 1rem; padding: 0.45rem 1.25rem; border-bottom: 1px solid var(--line); background: var(--back); font-size: 0.88rem; }
header a { text-decoration: none; }
nav { display: flex; gap: 1rem; }
nav summary { font-weight: 600; }
nav ol { list-style: none; margin: 0; padding: 0 0 0 1rem; }
nav > details > ol { position: absolute; top: 100%; left: 0; right: 0; max-height: calc(100vh - 3rem); overflow-y: auto; padding: 0.6rem 1.25rem 1rem; border-bottom: 1px solid var(--line); background: var(--back); box-shadow: 0 6px 12px rgba(0, 0, 0, 0.25); }
nav li a { display: block; padding: 0.15rem 0.5rem; border-left: 3px solid transparent; }
nav li a:hover { text-decoration: underline; }
nav [aria-current] { border-left-color: var(--link); background: var(--soft); color: var(--text); font-weight: 600; }
.tools { display: flex; gap: 0.5rem; margin-left: auto; }
button { font: inherit; color: var(--text); background: var(--soft); border: 1px solid var(--line); border-radius: 6px; padding: 0.15rem 0.7rem; cursor: pointer; }
button:hover { border-color: var(--dim); }
`;

// Where there is room, the contents stand beside the text, and the numbers of the cells beside the
// code.
const wide = `
@media (min-width: 75rem) {
  html { scroll-padding-top: 1rem; }
  body { display: grid; grid-template: 'bar text' 1fr 'bar foot' auto / minmax(14.5rem, 1fr) minmax(0, 64rem) minmax(0, 1fr); }
  header { grid-area: bar; align-self: start; flex-direction: column; align-items: stretch; gap: 0.8rem; width: 100%; max-width: 22rem; height: 100vh; padding: 1.2rem 0.5rem 1.2rem 1rem; border: none; }
  nav { flex-direction: column; gap: 0.6rem; min-height: 0; }
  nav > details { display: flex; flex-direction: column; min-height: 0; }
  nav > details > ol { position: static; max-height: calc(100vh - 9rem); padding: 0.4rem 0 0; border: none; box-shadow: none; }
  nav ol ol { padding-left: 0.8rem; }
  .tools { margin: 0; }
  main { grid-area: text; width: 100%; padding-left: 4.4rem; }
  footer { grid-area: foot; width: 100%; padding-left: 4.4rem; }
}
`;

const narrow = `
@media (max-width: 75rem) { .source > summary { position: static; } .source > pre { margin-top: 0.2rem; } }
@media (max-width: 40rem) {
  header { padding: 0.45rem 0.9rem; gap: 0.4rem 0.7rem; }
  nav { gap: 0.7rem; }
  button { padding: 0.15rem 0.5rem; }
  main, footer { padding-left: 0.9rem; padding-right: 0.9rem; }
  .html, figure, pre.stdout { padding-left: 0; padding-right: 0; }
  .html table { font-size: 0.8rem !important; }
  .chart > * { min-width: var(--least); }
}
@media (hover: none) { .anchor { opacity: 1; } }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
`;

const paper = `
@media print {
  body { display: block; font-size: 10pt; }
  main, footer { max-width: none; padding: 0; }
  header, .skip, .anchor, #tip, .source:not([open]), .source > summary { display: none; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 8pt; }
  .wide, .html, figure { overflow: visible; padding: 0; }
  .html table, .wide table { font-size: 7.5pt !important; }
  .chart > * { min-width: 0; }
  figure img, figure svg { max-height: 11cm; width: auto; }
  figure, tr, pre, blockquote, .cell:has(figure):not(:has(figure ~ figure)) { break-inside: avoid; }
  .source { break-after: avoid; } /* a chart stands below its code */
  .scrolls { mask-image: none; border: none; }
  .heading { break-after: avoid; }
}
`;

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
