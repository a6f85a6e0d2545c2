import { display } from '../data/output.js';
import type { SequenceDataset } from '../data/sequences.js';
import { Sessions } from '../data/sessions.js';
import { indicesIn } from '../data/vocabulary.js';
import { ArgumentError, userInMessage } from '../errors.js';
import type { SequenceRecommender } from '../sequential/sequence-recommender.js';

/**
 * Throws if every test sequence, up to its last target, occurs track after track in the training
 * history of the same user (for sessions, if the session of the same number is the same): then the
 * recommender is measured by what it remembers. Random hold-outs from the middle of a history
 * cannot be detected.
 */
export function refuseTrainedOn(recommender: SequenceRecommender, windows: SequenceDataset): void {
  const { histories, sequence, start, size } = windows;
  const { item, indptr, items, users } = histories;
  const last = new Map<number, number>(); // of each sequence, the place of its last target
  for (let i = 0; i < windows.length; i++)
    last.set(sequence[i], Math.max(last.get(sequence[i]) ?? 0, start[i] + size[i]));
  for (const { name, trained } of trainedOn(recommender, windows)) {
    const code = indicesIn(items, trained.items);
    const remembers = [...last].every(([s, at]) => {
      const known = sequenceIn(trained, histories, s);
      const asked = item.subarray(indptr[s], users ? at + 1 : indptr[s + 1]).map((t) => code[t]);
      return (users || known.length === asked.length) && contains(known, asked);
    });
    if (!remembers) continue;
    const [s, at] = last.entries().next().value!;
    const of = users ? userInMessage(users.id(s)) : `session ${s}`;
    throw new ArgumentError(
      `${name} was trained on the plays that it is to be measured by: on all of them, such as track "${items.id(item[at])}" of ${of}. ` +
        'Train it on other sessions, or on the training part of a split: leaveKOut(plays) makes one.',
    );
  }
}

/** Warns of next tracks that training has of the same user, or of the very same session. */
export function warnOfTrainedOn(
  recommender: SequenceRecommender,
  windows: SequenceDataset,
  advice: string,
): void {
  const { histories, sequence, start, size } = windows;
  const { item, indptr, items, users } = histories;
  const counts = trainedOn(recommender, windows).map(({ trained }) => {
    const code = indicesIn(items, trained.items);
    const seen = new Map<number, ReadonlySet<number>>(); // tracks of each sequence in training
    let known = 0;
    for (let i = 0; i < windows.length; i++) {
      const s = sequence[i];
      let own = seen.get(s);
      if (!own) {
        const there = sequenceIn(trained, histories, s);
        const here = item.subarray(indptr[s], indptr[s + 1]);
        const same = there.length === here.length && here.every((t, j) => code[t] === there[j]);
        seen.set(s, (own = new Set(users || same ? there : [])));
      }
      if (own.has(code[item[start[i] + size[i]]])) known++;
    }
    return known;
  });
  const known = Math.max(0, ...counts);
  if (known === 0) return;
  const of = `${known.toLocaleString('en')} of ${windows.length.toLocaleString('en')}`;
  display().warn(
    `${recommender.name} has seen ${((100 * known) / windows.length).toFixed(1)} % of the next tracks (${of}) in training, played by the same ${users ? 'user' : 'session'}. ` +
      `Unless they were played again, it is measured by what it remembers: give held-out plays alone, and say what came before, ${advice}.`,
  );
}

/** The histories that a recommender, or each part of a sum, was trained on, if these matter. */
function trainedOn(
  recommender: SequenceRecommender,
  windows: SequenceDataset,
): { name: string; trained: Sessions }[] {
  const { name, histories, heldOut, parts } = recommender;
  if (parts) return parts.flatMap((part) => trainedOn(part, windows));
  if (!(histories instanceof Sessions)) return [];
  if (heldOut?.histories === windows.histories) {
    // What a model held out itself was not learnt, though other windows have read it.
    const targets = new Set(heldOut.start.map((from, i) => from + heldOut.size[i]));
    if (windows.start.every((from, i) => targets.has(from + windows.size[i]))) return [];
  }
  return [{ name, trained: histories }];
}

/** What training has of the same user, or of the session of the same number; else nothing. */
function sequenceIn(
  { users, length, indptr, item }: Sessions,
  of: Sessions,
  s: number,
): Int32Array {
  let own = s < length ? s : -1;
  if (of.users) own = users?.indexOf(of.users.id(s)) ?? -1;
  else if (users) own = users.kind === 'session' ? users.indexOf(String(s)) : -1;
  return own < 0 ? new Int32Array(0) : item.subarray(indptr[own], indptr[own + 1]);
}

/** Whether some tracks occur in others, one after the other without a gap. */
function contains(tracks: Int32Array, part: Int32Array): boolean {
  for (let from = 0; from + part.length <= tracks.length; from++)
    if (part.every((track, j) => tracks[from + j] === track)) return true;
  return false;
}
