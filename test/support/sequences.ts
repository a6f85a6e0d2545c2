import { Random } from '../../lib/recital/compute/random.js';
import { Sessions } from '../../lib/recital/data/sessions.js';
import { Vocabulary } from '../../lib/recital/data/vocabulary.js';

/**
 * Sessions of track numbers; track 3 is called `t03`, and all numbers up to the largest are tracks.
 */
export function sessionsOf(lists: readonly (readonly number[])[]): Sessions {
  const flat = lists.flat();
  const ids = Array.from(
    { length: Math.max(...flat) + 1 },
    (_, i) => `t${String(i).padStart(2, '0')}`,
  );
  const indptr = [0];
  for (const list of lists) indptr.push(indptr[indptr.length - 1] + list.length);
  return new Sessions(
    Vocabulary.fromValues(ids, { kind: 'item' }),
    Int32Array.from(indptr),
    Int32Array.from(flat),
  );
}

/**
 * Sessions of a planted chain: after a track comes the next one, in a circle, with chance `follow`,
 * else any.
 */
export function chainSessions({
  tracks = 40,
  sessions = 300,
  length = 8,
  follow = 0.8,
  seed = 5,
} = {}): number[][] {
  const random = new Random(seed).child('chain');
  return Array.from({ length: sessions }, () => {
    const list = [random.int(tracks)];
    while (list.length < length)
      list.push(
        random.uniform() < follow ? (list[list.length - 1] + 1) % tracks : random.int(tracks),
      );
    return list;
  });
}
