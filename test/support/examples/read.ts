import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import ts from 'typescript';

/** An `@example` of a docstring. */
export interface Example {
  /** Where it stands, `lib/recital/data/table.ts:28`. */
  where: string;
  /** Its file. */
  file: string;
  code: string;
}

const lib = resolve(__dirname, '../../../lib');

/** Every `@example` in the docstrings of the library. */
export function readExamples(): Example[] {
  const files = readdirSync(lib, { recursive: true, encoding: 'utf8' }).filter(
    (f) => f.endsWith('.ts') && !f.endsWith('.d.ts'),
  );
  return files
    .filter((f) => !/[\\/](assembly|build|dist)[\\/]/.test(f))
    .sort()
    .flatMap((f) => examplesOf(join(lib, f)));
}

function examplesOf(file: string): Example[] {
  const text = readFileSync(file, 'utf8');
  if (!text.includes('@example')) return [];
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  const tags = new Map<number, ts.JSDocTag>();
  const visit = (node: ts.Node): void => {
    for (const tag of ts.getJSDocTags(node))
      if (tag.tagName.text === 'example') tags.set(tag.pos, tag);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return [...tags.values()].map((tag) => ({
    where: `${relative(resolve(lib, '..'), file).replaceAll('\\', '/')}:${source.getLineAndCharacterOfPosition(tag.pos).line + 1}`,
    file,
    code: ts.getTextOfJSDocComment(tag.comment) ?? '',
  }));
}
