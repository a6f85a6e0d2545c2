import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The style sheet of a page: its own rules and the colours of the code, for light and dark. */
export function pageStyle(): string {
  const folder = join(dirname(require.resolve('highlight.js/package.json')), 'styles');
  const [light, dark] = ['github.min.css', 'github-dark.min.css'].map((file) => readFileSync(join(folder, file), 'utf8'));
  return `${rules}\n@media not all and (prefers-color-scheme: dark) {\n${light}\n}\n@media (prefers-color-scheme: dark) {\n${dark}\n}`;
}

const rules = `
:root { color-scheme: light dark; --back: #fff; --text: #1f2328; --soft: #f6f8fa; --line: #d1d9e0; --dim: #59636e; --link: #0969da; --bad: #ffebe9; --badline: #cf222e; --warn: #fff8c5; }
@media (prefers-color-scheme: dark) {
  :root { --back: #0d1117; --text: #e6edf3; --soft: #161b22; --line: #3d444d; --dim: #9198a1; --link: #4493f8; --bad: #3c1618; --badline: #f85149; --warn: #2e2a12; }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1rem; }
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.6 system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; }
a { color: var(--link); }
h1, h2, h3, h4 { line-height: 1.25; margin: 1.6em 0 0.5em; }
h1 { font-size: 1.9rem; margin-top: 0.4em; }
h2 { font-size: 1.45rem; border-bottom: 1px solid var(--line); padding-bottom: 0.2em; }
.anchor { visibility: hidden; text-decoration: none; font-weight: 400; color: var(--dim); }
:is(h1, h2, h3, h4):hover .anchor { visibility: visible; }
pre, code { font-family: ui-monospace, 'SFMono-Regular', Menlo, Consolas, 'DejaVu Sans Mono', monospace; font-size: 0.86em; }
.prose :not(pre) > code { background: var(--soft); border-radius: 4px; padding: 0.15em 0.35em; }
.prose code.formula { font-style: italic; }
.prose table { border-collapse: collapse; display: block; max-width: 100%; overflow-x: auto; }
.prose :is(th, td) { border: 1px solid var(--line); padding: 0.3em 0.8em; }
.prose img { max-width: 100%; }
blockquote { margin: 1em 0; padding: 0 1em; border-left: 4px solid var(--line); color: var(--dim); }
.cell { position: relative; margin: 1rem 0; }
.prompt { position: absolute; right: calc(100% + 0.6rem); top: 0.7rem; color: var(--dim); font: 0.75rem ui-monospace, Menlo, monospace; white-space: nowrap; }
pre { margin: 0.5rem 0; padding: 0.7rem 0.9rem; border-radius: 6px; overflow-x: auto; line-height: 1.45; }
pre.code { background: var(--soft); border: 1px solid var(--line); }
pre.stdout { padding: 0.2rem 0.9rem; }
pre.stderr { background: var(--warn); }
pre.error { background: var(--bad); border-left: 4px solid var(--badline); }
.outputs { margin: 0.4rem 0 0; }
.html { padding: 0 0.9rem; overflow-x: auto; }
figure { margin: 0.6rem 0; padding: 0 0.9rem; overflow-x: auto; }
figure img { max-width: 100%; height: auto; background: #fff; }
figure.chart > div { background: #fff; display: inline-block; }
footer { margin-top: 3rem; color: var(--dim); font-size: 0.85rem; }
nav { font-size: 0.88rem; padding: 1rem 1.25rem 0; max-width: 62rem; margin: 0 auto; }
nav summary { cursor: pointer; font-weight: 600; }
nav ol { list-style: none; margin: 0.5rem 0 0; padding: 0; }
nav li { margin: 0.2rem 0; }
nav .depth2 { padding-left: 1rem; }
nav .depth3 { padding-left: 2rem; }
nav a { text-decoration: none; }
@media (min-width: 92rem) {
  nav { position: fixed; top: 1.5rem; left: 1.5rem; width: calc(50vw - 31rem - 5.5rem); max-width: 18rem; max-height: calc(100vh - 3rem); overflow-y: auto; padding: 0; }
}
@media (max-width: 62rem) { .prompt { position: static; display: block; margin-bottom: -0.3rem; } }
@media print { nav, .anchor { display: none; } pre { white-space: pre-wrap; } }
`;
