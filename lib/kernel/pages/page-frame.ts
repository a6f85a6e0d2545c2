import { inlineModule, inlineScript, scriptPolicy } from './page-script.js';
import { pageStyle } from './page-style.js';

/**
 * The parts of a page. All are HTML but the title and the description, which are HTML without tags.
 */
export interface PageParts {
  title: string;
  /** For search engines, and for the start page: its first sentences. */
  description: string;
  /** The contents, or what else stands beside the buttons. */
  navigation: string;
  main: string;
  footer: string;
  /** At the end of the page. */
  scripts?: string;
  /** Further rules of style. */
  style?: string;
}

/** What pages say that they are made by: by this the start page knows them. */
export const GENERATOR = 'recital';

/**
 * A whole HTML file: head, style, navigation with its buttons, main part and footer. The reader's
 * script makes the buttons work, and shows them; no
 * script but those of pages runs. */
export function pageFrame({
  title,
  description,
  navigation,
  main,
  footer,
  scripts = '',
  style = '',
}: PageParts): string {
  const { base, dark } = pageStyle();
  const start = inlineScript('page-start.cjs');
  const end = `${inlineModule('page-reader.mjs')}${scripts}`;
  const about = description === '' ? '' : `\n<meta name="description" content="${description}">`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${scriptPolicy(start + end)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="${GENERATOR}">${about}
<title>${title}</title>
<style>
${base}${style}
</style>
<style id="dark" media="screen and (prefers-color-scheme: dark)">
${dark}
</style>
${start}</head>
<body>
<a class="skip" href="#text">Skip to the text</a>
<header>
${navigation}
<div class="tools"><button type="button" id="fold" hidden>Hide code</button><button type="button" id="theme" hidden>Dark</button></div>
</header>
<main id="text" tabindex="-1">
${main}
</main>
<footer>${footer}</footer>
${end}</body>
</html>
`;
}
