import { readFileSync } from 'node:fs';
import { extname, resolve } from 'node:path';

/** Pictures that a Markdown cell brings along: by name, in base64 by MIME type (nbformat 4). */
export type Attachments = Record<string, Record<string, string>>;

const types: Record<string, string> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.avif': 'image/avif',
  '.svg': 'image/svg+xml',
};

/**
 * A picture that a Markdown cell names, as an address that holds the picture itself; undefined for
 * one that is not here: a page asks for nothing.
 * @param href `attachment:NAME`, a path from the folder, or an address
 */
export function pictureData(
  href: string,
  { attachments = {}, folder }: { attachments?: Attachments; folder?: string },
): string | undefined {
  if (/^data:image\/[\w.+-]+[;,]/i.test(href)) return href.replace(/["<>]/g, encodeURIComponent);
  if (href.startsWith('attachment:')) {
    const [type, data] =
      Object.entries(attachments[decoded(href.slice('attachment:'.length))] ?? {})[0] ?? [];
    return type && data ? dataUri(type, Buffer.from(data, 'base64')) : undefined;
  }
  const type = types[extname(decoded(href)).toLowerCase()];
  if (/^([a-z]+:|\/\/)/i.test(href) || !type || folder === undefined) return undefined;
  try {
    return dataUri(type, readFileSync(resolve(folder, decoded(href))));
  } catch {
    return undefined; // not there: the text stands for it, as a link
  }
}

function dataUri(type: string, data: Buffer): string {
  return `data:${type.replace(/[^\w/.+-]/g, '')};base64,${data.toString('base64')}`;
}

function decoded(address: string): string {
  try {
    return decodeURIComponent(address);
  } catch {
    return address;
  }
}
