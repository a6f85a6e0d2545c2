// The Jupyter protocol: where a channel is, and messages as the frames that stand for them there,
// [identity …, <IDS|MSG>, signature, header, parent header, metadata, content].
const { createHmac, randomUUID, timingSafeEqual } = require('node:crypto');

const DELIMITER = '<IDS|MSG>';
const VERSION = '5.3';

/**
 * Where a kernel's socket is. Over `ipc` Jupyter names a file by what it calls a port: `<ip>-1`.
 * @param {{ transport: string, ip: string }} connection of the connection file
 * @param {number} port
 */
function address({ transport, ip }, port) {
  return `${transport}://${ip}${transport === 'ipc' ? '-' : ':'}${port}`;
}

/**
 * What proves that a message is from somebody who can read the connection file; empty if that has
 * no key.
 */
function signature({ key, signature_scheme = 'hmac-sha256' }, parts) {
  if (!key) return '';
  const hash = createHmac(signature_scheme.replace(/^hmac-/, ''), key);
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

/**
 * The frames of a message.
 * @param connection the connection file: `key`, `signature_scheme`
 * @param message `identity`: who gets it; `type`; `content`; `parent`: header of the request that
 *   it belongs to; of a request `id` and `session`
 */
function pack(
  connection,
  { identity = [], type, content, parent = {}, id = randomUUID(), session = parent.session ?? '' },
) {
  const { username = 'recital' } = parent;
  const header = {
    msg_id: id,
    session,
    username,
    date: new Date().toISOString(),
    msg_type: type,
    version: VERSION,
  };
  const parts = [header, parent, {}, content].map((part) => JSON.stringify(part));
  return [...identity, DELIMITER, signature(connection, parts), ...parts];
}

/**
 * The message that some frames stand for: `identity`, `header`, `parent`, `content`.
 * @throws if they are no message, or one that is not signed with the connection's key
 */
function unpack(connection, frames) {
  const start = frames.findIndex((frame) => frame.toString('latin1') === DELIMITER) + 1;
  if (start === 0 || frames.length < start + 5) throw new Error('it is no message');
  const given = frames[start];
  const parts = frames.slice(start + 1, start + 5);
  const expected = Buffer.from(signature(connection, parts));
  if (
    expected.length > 0 &&
    !(given.length === expected.length && timingSafeEqual(given, expected))
  )
    throw new Error('its signature is wrong');
  const [header, parent, metadata, content] = parts.map((part) => JSON.parse(part.toString()));
  if (
    ![header, parent, metadata, content].every((part) => typeof part === 'object' && part !== null)
  )
    throw new Error('it is no message');
  if (typeof header.msg_type !== 'string') throw new Error('it has no type');
  return { identity: frames.slice(0, start - 1), header, parent, content };
}

/**
 * What comes on a channel and is not dealt with. The log has a line for the first: whoever can
 * reach a port can send thousands.
 */
class Refused {
  constructor(channel) {
    this.channel = channel;
    this.count = 0;
  }

  add(error) {
    if (this.count++ > 0) return;
    process._rawDebug(
      `What came on the ${this.channel} channel is ignored: ${error.message}. Nothing more is said of others like it.`,
    );
  }
}

module.exports = { address, pack, unpack, Refused };
