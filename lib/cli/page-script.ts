import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A script as part of a page. */
export function inline(code: string, type?: 'module'): string {
  const safe = code.replace(/<\/script/gi, '<\\/script').replace(/^\/\/# sourceMappingURL=.*$/gm, '');
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

function own(name: string): string {
  return `\n${readFileSync(join(__dirname, name), 'utf8').trim()}\n`;
}
