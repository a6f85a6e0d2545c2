import { visible } from '../../recital/printed.js';
import type { Watcher } from './executor.js';
import type { Content } from './kernel-client.js';
import { displayId, joined, type NotebookCell } from './notebook-file.js';

/** Where lines go: process.stdout, or what a test looks at. */
export interface Screen {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
  rows?: number;
}

interface Shown {
  id: string;
  text: string;
  /** Rows of the terminal that its text takes, if it is the last thing there. */
  height: number;
}

/**
 * Prints what cells print and show, as it comes, but of control characters those for colours alone.
 * What is updated in place (progress) is rewritten in a terminal; elsewhere its final state is
 * printed, once something follows it or the cell ends.
 */
export class TerminalWatcher implements Watcher {
  private readonly live: boolean;
  private readonly color: boolean;
  private last: Shown | undefined;
  private readonly changed = new Map<string, string>(); // displays updated after something else was printed below them
  private column = 0;

  constructor(private readonly screen: Screen) {
    this.live = Boolean(screen.isTTY);
    this.color = this.live && !process.env.NO_COLOR;
  }

  cell(number: number, cell: NotebookCell): void {
    const code = joined(cell.source).trim().split('\n');
    const more = code.length > 1 ? ' …' : '';
    this.line(
      `${this.paint('36', `[${number}]`)} ${this.paint('2', visible(code[0].slice(0, 100)) + more)}`,
    );
  }

  output(type: string, content: Content): void {
    if (type === 'stream')
      this.stream(visible(joined(content.text), '\n\t\r\x1b'), content.name === 'stderr');
    else if (type === 'error')
      this.line(this.paint('31', visible((content.traceback as string[]).join('\n'), '\n\t\x1b')));
    else if (type === 'display_data' || type === 'execute_result') this.display(content);
    else if (type === 'update_display_data') this.update(content);
  }

  end(seconds: number): void {
    this.settle();
    for (const text of this.changed.values()) this.line(text);
    this.changed.clear();
    if (seconds >= 1) this.line(this.paint('2', `    ${seconds.toFixed(1)} s`));
    if (this.column > 0) this.line('');
  }

  /** Prints a line of its own. */
  line(given: string): void {
    const text = visible(given, '\n\t\x1b');
    this.settle();
    this.screen.write(`${this.column > 0 ? '\n' : ''}${text}\n`);
    this.column = 0;
  }

  private stream(text: string, isError: boolean): void {
    this.settle();
    this.screen.write(isError ? this.paint('33', text) : text);
    const tail = text.slice(text.lastIndexOf('\n') + 1);
    this.column = text.includes('\n') ? tail.length : this.column + tail.length;
  }

  private display(content: Content): void {
    this.settle();
    const text = plainText(content);
    if (text === '') return;
    this.last = { id: displayId(content), text, height: 0 };
    if (this.live) this.draw(text);
  }

  private update(content: Content): void {
    const id = displayId(content);
    const text = plainText(content);
    if (this.last?.id !== id) {
      this.changed.set(id, text);
      return;
    }
    this.last.text = text;
    if (!this.live) return;
    const { height } = this.last;
    if (height >= (this.screen.rows || 24))
      this.changed.set(id, text); // its top has scrolled away: printed again in the end
    else {
      this.screen.write(`\x1b[${height}A\x1b[J`);
      this.draw(text);
    }
  }

  private draw(text: string): void {
    const columns = this.screen.columns || 80; // 0 where the terminal does not know its size
    if (this.column > 0) this.screen.write('\n');
    this.column = 0;
    this.screen.write(text === '' ? '' : `${text}\n`);
    const height =
      text === ''
        ? 0
        : text
            .split('\n')
            .reduce((sum, row) => sum + Math.max(1, Math.ceil(row.length / columns)), 0);
    if (this.last) this.last.height = height;
  }

  /** Something else follows: what was held back is printed. */
  private settle(): void {
    const { last } = this;
    this.last = undefined;
    if (last && !this.live) this.draw(last.text);
  }

  private paint(code: string, text: string): string {
    return this.color ? `\x1b[${code}m${text}\x1b[0m` : text;
  }
}

function plainText(content: Content): string {
  const data = content.data as Content;
  const text = joined(data['text/plain']);
  return text === '' && !('text/plain' in data)
    ? `[${Object.keys(data).join(', ')}]`
    : visible(text, '\n\t\x1b');
}
