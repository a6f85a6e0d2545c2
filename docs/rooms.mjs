// A plugin of TypeDoc: the reference has the rooms of lib/recital for chapters.
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Comment, CommentTag, Converter, ReflectionKind } from 'typedoc';

const library = fileURLToPath(new URL('../lib/recital/', import.meta.url));

export function load({ converter }) {
  converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    const declared = context.getSymbolFromReflection(reflection)?.declarations?.[0];
    if (!reflection.parent?.kindOf(ReflectionKind.Project | ReflectionKind.Module) || !declared) return;
    const path = relative(library, declared.getSourceFile().fileName).split('/');
    const text = path.length > 1 ? path[0] : 'errors';
    reflection.comment ??= new Comment();
    reflection.comment.blockTags.push(new CommentTag('@category', [{ kind: 'text', text }]));
  });
}
