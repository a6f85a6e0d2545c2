// A plugin of TypeDoc. The reference has the rooms of lib/recital for chapters and the package's
// entries for modules, the markdown pages are named by their headings and grouped, members take
// their docstrings from what they implement, and the executed notebooks are pages of the site.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { require } from 'tsx/cjs/api';
import { Comment, CommentTag, Converter, KindRouter, PageEvent, ReflectionKind } from 'typedoc';
import ts from 'typescript';

const library = fileURLToPath(new URL('../lib/recital/', import.meta.url));
const notebooks = fileURLToPath(new URL('../notebooks/', import.meta.url));

const ENTRIES = {
  index: 'recital',
  'serve/serve': 'recital/serve',
  'models/tensorflow': 'recital/tensorflow',
};
const PROJECT = new Set(['CONTRIBUTING', 'SECURITY', 'CHANGELOG', 'house', 'dependencies']);
const BACKGROUND = new Set(['measurements', 'time-skipping', 'native']);

/** What is said of members that are the same everywhere, or that their owner explains. */
const SAME = {
  saved: 'How it is written to a file and made again: see `SavedForm`.',
  greater: 'Whether more is better.',
  '[inspected]': 'How Node prints it.',
  '[displaySymbol]': 'How a notebook shows it.',
  states: 'The state of each parameter that has been stepped.',
  lossFunc: 'The loss that training makes small.',
  metrics: 'The metrics of the training table, in its order.',
  recorder: 'The record of the run: losses, rates and the rows of the training table.',
  'ParamGroup.params': 'Its parameters.',
  'ParamGroup.hypers': "Their hyper-parameters by name: lr, wd and the optimizer's own.",
  'ParamState.step': 'Steps taken.',
  'ParamState.buffers': 'Moments by name, as many values as the parameter.',
  'OptimizerState.hypers': 'The hyper-parameters of each group.',
  'OptimizerState.params': 'The state of each parameter, by its name.',
};

/** The markdown pages, by reflection: the names of their files. */
const files = new WeakMap();

/** Pages at documents/NAME.html, whatever their headings are. */
class Router extends KindRouter {
  getIdealBaseName(reflection) {
    const name = files.get(reflection);
    return name ? `documents/${name}` : super.getIdealBaseName(reflection);
  }
}

export function load(app) {
  const { converter, renderer } = app;
  renderer.defineRouter('site', Router);

  // a property of an intersection of types counts once for each of them, at one and the same place
  const warn = app.logger.warn.bind(app.logger);
  app.logger.warn = (text, ...more) =>
    /has multiple declarations with a comment/.test(text) ? undefined : warn(text, ...more);

  converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    if (reflection.kindOf(ReflectionKind.Module)) {
      reflection.name = ENTRIES[reflection.name] ?? reflection.name;
      reflection.comment ??= new Comment();
      reflection.comment.blockTags.push(
        new CommentTag('@category', [{ kind: 'text', text: 'Reference' }]),
      );
      return;
    }
    const declared = context.getSymbolFromReflection(reflection)?.declarations?.[0];
    if (!reflection.parent?.kindOf(ReflectionKind.Project | ReflectionKind.Module) || !declared)
      return;
    const path = relative(library, declared.getSourceFile().fileName).split('/');
    const text = path.length > 1 ? path[0] : 'errors';
    reflection.comment ??= new Comment();
    reflection.comment.blockTags.push(new CommentTag('@category', [{ kind: 'text', text }]));
  });

  converter.on(Converter.EVENT_CREATE_PARAMETER, (_, parameter) => {
    parameter.name = parameter.name.replace(/^_(?!_)/, ''); // `_options`: there for who overrides it
  });

  converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, page) => {
    const path = page.name;
    const name = basename(path);
    files.set(page, path === 'data/README' ? 'sample' : name);
    const heading = /^# (.+)$/m.exec(page.content.map(({ text }) => text).join(''))?.[1];
    if (heading) page.name = heading.replaceAll('`', '');
    const rest = BACKGROUND.has(name) ? 'Background' : 'Guide';
    page.frontmatter.category = PROJECT.has(name) ? 'Project' : rest;
  });

  converter.on(Converter.EVENT_RESOLVE_END, inherit, -1000);

  renderer.preRenderAsyncJobs.push(async ({ outputDirectory }) => {
    writeNotebooks(join(outputDirectory, 'notebooks'));
  });
  renderer.on(PageEvent.END, (page) => {
    const root = '../'.repeat(page.url.split('/').length - 1);
    page.contents &&= accessible(page.contents);
    page.contents = page.contents
      ?.replace(/href="[./]*media\/([^"/]+)\.ipynb"/g, `href="${root}notebooks/$1.html"`)
      .replaceAll('href="notebooks/', `href="${root}notebooks/`) // of the toolbar
      .replaceAll('href="../"', 'href="../index.html"'); // so that it works without a server
  });
}

/** A page with landmarks, their names, and headings in order, for readers who hear it. */
function accessible(html) {
  const firstHeading = html.search(/<h[23][ >]/);
  return html
    .replace(/<h4(?=[ >])/g, (tag, at) =>
      firstHeading < 0 || at < firstHeading ? '<h4 aria-level="2"' : tag,
    )
    .replace(
      '<div class="col-sidebar">',
      '<div class="col-sidebar" role="complementary" aria-label="Contents">',
    )
    .replace('<div class="col-content">', '<div class="col-content" role="main">')
    .replace(
      '<nav id="tsd-sidebar-links"',
      '<nav id="tsd-sidebar-links" aria-label="Further pages"',
    )
    .replace('<nav class="tsd-navigation">', '<nav class="tsd-navigation" aria-label="All pages">')
    .replaceAll('<h5 class="tsd-index-heading', '<h5 aria-level="2" class="tsd-index-heading')
    .replaceAll('<th></th>', '<td></td>')
    .replaceAll('<h3>Settings</h3>', '<h3 aria-level="2">Settings</h3>')
    .replaceAll('<h3>On This Page</h3>', '<h3 aria-level="2">On This Page</h3>')
    .replace(/<summary[\s\S]*?<\/summary>/g, (summary) =>
      summary.replace(/<a [^>]*tsd-anchor-icon[\s\S]*?<\/a>/g, ''),
    );
}

/** Gives members without a docstring that of what they implement or override. */
function inherit(context) {
  const named = [];
  for (const reflection of Object.values(context.project.reflections)) {
    if (
      reflection.hasComment() ||
      !reflection.kindOf(ReflectionKind.SomeMember | ReflectionKind.SomeSignature)
    )
      continue;
    const member = reflection.kindOf(ReflectionKind.SomeSignature) ? reflection.parent : reflection;
    if (member.hasComment()) continue;
    const text =
      SAME[member.name] ??
      SAME[`${member.parent?.name}.${member.name}`] ??
      eventText(member) ??
      inheritedText(context, member);
    if (text) reflection.comment = new Comment([{ kind: 'text', text }]);
    else if (explainedAbove(reflection)) named.push(reflection.getFriendlyFullName());
  }
  const option = 'intentionallyNotDocumented';
  context.converter.application.options.setValue(option, [...new Set(named)]);
}

/** The docstring of the member that this one implements or overrides, as TypeScript finds it. */
function inheritedText(context, member) {
  const symbol = context.getSymbolFromReflection(member);
  if (!symbol) return undefined;
  const parts = symbol.getDocumentationComment(context.programs[0].getTypeChecker());
  return ts
    .displayPartsToString(parts)
    .replace(/\{@link (?:[^}|]*\|)?\s*([^}]+)\}/g, '`$1`')
    .trim();
}

/** What a callback's handler of an event is. */
function eventText({ name, parent }) {
  const isHandler = /^(before|after)[A-Z]/.test(name) && parent?.kindOf(ReflectionKind.Class);
  return isHandler ? `What it does at the event \`${name}\` of a training run.` : undefined;
}

/**
 * Whether the docstring of its owner explains it: a part of a type that is written in place, or the
 * setter of a getter. Within parameters TypeDoc asks for none.
 */
function explainedAbove(reflection) {
  const { Property, ConstructorSignature, TypeAlias } = ReflectionKind;
  if (reflection.kindOf(ReflectionKind.SetSignature)) return true;
  if (!reflection.kindOf(Property | ConstructorSignature)) return false;
  if (reflection.parent.parent?.kindOf(TypeAlias)) return reflection.kindOf(Property);
  const above = [];
  for (let each = reflection.parent; each; each = each.parent) above.push(each);
  if (above.some((each) => each.kindOf(ReflectionKind.Parameter))) return false;
  const written = above.findIndex((each) => each.name === '__type');
  return written >= 0 && above.slice(written).some((each) => each.hasComment());
}

/** A notebook's page whose links to the checkout's pages lead to those of the site. */
function withinSite(page) {
  return page
    .replaceAll('href="../README.md', 'href="../index.html')
    .replaceAll('href="../data/README.md', 'href="../documents/sample.html')
    .replace(/href="\.\.\/(?:docs\/)?([\w-]+)\.md/g, 'href="../documents/$1.html');
}

/** The notebooks as they were executed last, with their files beside them. */
function writeNotebooks(folder) {
  const { notebookPage } = require('../lib/kernel/pages/page.ts', import.meta.url);
  const { writeIndex } = require('../lib/kernel/pages/index-page.ts', import.meta.url);
  mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(notebooks)
    .filter((each) => each.endsWith('.ipynb'))
    .sort()) {
    const notebook = JSON.parse(readFileSync(join(notebooks, file), 'utf8'));
    const name = basename(file, '.ipynb');
    const page = notebookPage(notebook, { name, folder: notebooks, home: true });
    writeFileSync(join(folder, `${name}.html`), withinSite(page));
    copyFileSync(join(notebooks, file), join(folder, file));
  }
  writeIndex(folder);
}
