// The Jupyter protocol 5.3: the address of a channel, and the frames of a message,
// [identity …, <IDS|MSG>, signature, header, parent header, metadata, content].
import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';

const DELIMITER = '<IDS|MSG>';
const VERSION = '5.3';

/** The part of a connection file that signs messages. */
export interface Key {
  key?: string;
  signature_scheme?: string;
}

/** The part of a connection file that says where a kernel is. */
export interface Connection extends Key {
  transport: string;
  ip: string;
}

/** A JSON object of a message. */
export type Content = Record<string, unknown>;

/** A message that has come. */
export interface Message {
  /** Who gets the reply. */
  identity: Buffer[];
  header: Content & { msg_type: string };
  parent: Content;
  content: Content;
}

/** A message to send. */
export interface Outgoing {
  identity?: readonly Buffer[];
  type: string;
  content: unknown;
  /** Header of the request that it belongs to. */
  parent?: Content;
  /** Of a request; default: a new one. */
  id?: string;
  session?: string;
}

export type Frame = string | Buffer;

/** The address of a kernel's socket. Over `ipc`, Jupyter names the file `<ip>-<port>`. */
export function address({ transport, ip }: Connection, port: number): string {
  return `${transport}://${ip}${transport === 'ipc' ? '-' : ':'}${port}`;
}

/** The signature of a message's parts; empty if the connection file has no key. */
function signature(
  { key, signature_scheme = 'hmac-sha256' }: Key,
  parts: readonly Frame[],
): string {
  if (!key) return '';
  const hash = createHmac(signature_scheme.replace(/^hmac-/, ''), key);
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

/** The frames of a message. Throws if its content cannot be written as JSON. */
export function pack(
  connection: Key,
  { identity = [], type, content, parent = {}, id = randomUUID(), session }: Outgoing,
): Frame[] {
  const header = {
    msg_id: id,
    session: session ?? parent.session ?? '',
    username: parent.username ?? 'recital',
    date: new Date().toISOString(),
    msg_type: type,
    version: VERSION,
  };
  const parts = [header, parent, {}, content].map((part) => JSON.stringify(part));
  return [...identity, DELIMITER, signature(connection, parts), ...parts];
}

const isObject = (value: unknown): value is Content => typeof value === 'object' && value !== null;

/**
 * The message that frames stand for.
 * @throws if they are no message, or if the signature is not the connection key's
 */
export function unpack(connection: Key, frames: readonly Buffer[]): Message {
  const start = frames.findIndex((frame) => frame.toString('latin1') === DELIMITER) + 1;
  if (start === 0 || frames.length < start + 5) throw new Error('it is no message');
  const given = frames[start];
  const parts = frames.slice(start + 1, start + 5);
  const expected = Buffer.from(signature(connection, parts));
  const isSigned = given.length === expected.length && timingSafeEqual(given, expected);
  if (expected.length > 0 && !isSigned) throw new Error('its signature is wrong');
  const [header, parent, metadata, content] = parts.map(
    (part) => JSON.parse(part.toString()) as unknown,
  );
  if (!isObject(header) || !isObject(parent) || !isObject(metadata) || !isObject(content))
    throw new Error('it is no message');
  const { msg_type } = header;
  if (typeof msg_type !== 'string') throw new Error('it has no type');
  return { identity: frames.slice(0, start - 1), header: { ...header, msg_type }, parent, content };
}

/**
 * Reports messages of a channel that are refused: the first one in the log, the others not, because
 * whoever can reach the port can send thousands.
 */
export class Refused {
  private count = 0;

  constructor(private readonly channel: string) {}

  add(error: unknown): void {
    if (this.count++ > 0) return;
    rawDebug(
      `What came on the ${this.channel} channel is ignored: ${(error as Error).message}. Nothing more is said of others like it.`,
    );
  }
}

/** Writes to the process's own stderr, which a running cell has replaced by its output. */
export function rawDebug(text: unknown): void {
  (process as unknown as { _rawDebug(text: unknown): void })._rawDebug(text);
}
