import type { Plays } from './plays.js';
import type { Vocabulary } from './vocabulary.js';
import { indicesIn } from './vocabulary-map.js';

/**
 * The plays of some users and tracks, encoded with these: columns of equal length, in the order of
 * the plays.
 */
export function playsAmong(
  plays: Plays,
  { users, tracks }: { users: Vocabulary; tracks: Vocabulary },
): { user: Int32Array; track: Int32Array; playcount: Float32Array } {
  const userOf = indicesIn(plays.users, users);
  const trackOf = indicesIn(plays.tracks, tracks);
  let n = 0;
  for (let i = 0; i < plays.length; i++)
    if (userOf[plays.user[i]] >= 0 && trackOf[plays.track[i]] >= 0) n++;
  const out = { user: new Int32Array(n), track: new Int32Array(n), playcount: new Float32Array(n) };
  for (let i = 0, at = 0; i < plays.length; i++) {
    const u = userOf[plays.user[i]];
    const t = trackOf[plays.track[i]];
    if (u < 0 || t < 0) continue;
    out.user[at] = u;
    out.track[at] = t;
    out.playcount[at++] = plays.playcount[i];
  }
  return out;
}
