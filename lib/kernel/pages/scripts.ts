import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A script as part of a page. */
export function inline(code: string, type?: 'module'): string {
  const safe = code
    .replace(/<\/script/gi, '<\\/script')
    .replace(/^\/\/# sourceMappingURL=.*$/gm, '');
  return `<script${type ? ` type="${type}"` : ''}>${safe}</script>\n`;
}

/** A file of this folder as a script that runs where it stands. */
export function inlineScript(name: string): string {
  return inline(own(name));
}

/** A file of this folder as a script that runs when the page is there; its names are its own. */
export function inlineModule(name: string): string {
  return inline(own(name), 'module');
}

/**
 * The policy of a page by which these scripts run, and no others: what a notebook's Markdown or an
 * output in HTML brings along, a script, a handler or an address that begins with `javascript:`,
 * does not, as in a front end that does not trust the notebook. Vega makes functions of the
 * expressions in a chart.
 * @param scripts the scripts, as {@link inline} makes them
 */
export function scriptPolicy(scripts: string): string {
  const hashes = Array.from(
    scripts.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g),
    ([, code]) => `'sha256-${createHash('sha256').update(code).digest('base64')}'`,
  );
  return `script-src ${hashes.join(' ')} 'unsafe-eval'; object-src 'none'; base-uri 'none'; form-action 'none'`;
}

function own(name: string): string {
  return `\n${readFileSync(join(__dirname, name), 'utf8').trim()}\n`;
}
