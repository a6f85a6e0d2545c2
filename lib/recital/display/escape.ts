import { checkArgument } from '../options.js';

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * Text made safe for HTML, inside elements and inside quoted attributes.
 * @param text any text
 * @example escapeHtml('<b>') // '&lt;b&gt;'
 */
export function escapeHtml(text: string): string {
  checkArgument(typeof text === 'string', text, 'escapeHtml', 'a text');
  return text.replace(/[&<>"']/g, (c) => entities[c]);
}
