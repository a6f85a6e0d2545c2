import { display } from '../data/display.js';
import type { SequenceDataset } from '../data/sequences.js';
import { Histories } from '../data/sequences-histories.js';
import { ArgumentError } from '../errors.js';
import type { SequenceRecommender } from '../sequential/next-item.js';

/**
 * Throws if a recommender was trained on the very tracks that it is to predict: it would be
 * measured by how well it remembers.
 *
 * It was if each sequence, up to the last track that is asked for, is part of what it has of the
 * same user, track after track; of sessions, which have numbers instead of names, if the session of
 * the same number is the same. A user who plays a few songs again in the same order does not make
 * it so: all must. What cannot be known is let be: held-out plays drawn at random from the middle
 * of a history, say.
 */
export function refuseTrainedOn(recommender: SequenceRecommender, windows: SequenceDataset): void {
  if (recommender.parts) {
    for (const part of recommender.parts) refuseTrainedOn(part, windows);
    return;
  }
  if (!(recommender.histories instanceof Histories) || isHeldOut(windows, recommender.heldOut))
    return;
  const trained = recommender.histories;
  const { histories, sequence, start, size } = windows;
  const last = new Map<number, number>(); // of each sequence, where the last track is that is asked for
  for (let i = 0; i < windows.length; i++)
    last.set(sequence[i], Math.max(last.get(sequence[i]) ?? 0, start[i] + size[i]));
  const code = Int32Array.from({ length: histories.items.length }, (_, i) =>
    trained.items.indexOf(histories.items.id(i)),
  );
  for (const [s, at] of last) {
    const own = sequenceIn(trained, histories, s);
    if (own < 0) return;
    const asked = histories.item
      .subarray(histories.indptr[s], histories.users ? at + 1 : histories.indptr[s + 1])
      .map((t) => code[t]);
    const known = trained.item.subarray(trained.indptr[own], trained.indptr[own + 1]);
    if (!histories.users && known.length !== asked.length) return;
    if (!contains(known, asked)) return;
  }
  const [s, at] = last.entries().next().value!;
  const of = histories.users ? `user "${histories.users.id(s)}"` : `session ${s}`;
  throw new ArgumentError(
    `${recommender.name} was trained on the plays that it is to be measured by: on all of them, such as track "${histories.items.id(histories.item[at])}" of ${of}. ` +
      'Train it on other sessions, or on the training part of a split: leaveKOut(plays) makes one.',
  );
}

/**
 * Warns if a recommender knows some of the tracks that it is to predict from training, of the same
 * user (or of the very same session): of plays, in which a user has a track once, these are the
 * plays that it was trained on.
 * @param advice the call that would be right
 */
export function warnOfTrainedOn(
  recommender: SequenceRecommender,
  windows: SequenceDataset,
  advice: string,
): void {
  const known = knownTargets(recommender, windows);
  if (known === 0) return;
  const of = `${known.toLocaleString('en')} of ${windows.length.toLocaleString('en')}`;
  display().warn(
    `${recommender.name} has seen ${((100 * known) / windows.length).toFixed(1)} % of the next tracks (${of}) in training, played by the same ` +
      `${windows.histories.users ? 'user' : 'session'}. Unless they were played again, it is measured by what it remembers: give held-out plays alone, and say what ` +
      `came before, ${advice}.`,
  );
}

/**
 * How many windows predict a track that training has of the same user, or of the session of the
 * same number, if it is the same.
 */
function knownTargets(recommender: SequenceRecommender, windows: SequenceDataset): number {
  if (recommender.parts)
    return Math.max(...recommender.parts.map((part) => knownTargets(part, windows)));
  if (!(recommender.histories instanceof Histories) || isHeldOut(windows, recommender.heldOut))
    return 0;
  const trained = recommender.histories;
  const { histories, sequence, start, size } = windows;
  const code = Int32Array.from({ length: histories.items.length }, (_, i) =>
    trained.items.indexOf(histories.items.id(i)),
  );
  const tracks = new Map<number, ReadonlySet<number>>(); // of each sequence, those that training has
  let known = 0;
  for (let i = 0; i < windows.length; i++) {
    const s = sequence[i];
    let own = tracks.get(s);
    if (!own) {
      const other = sequenceIn(trained, histories, s);
      const there =
        other < 0
          ? new Int32Array(0)
          : trained.item.subarray(trained.indptr[other], trained.indptr[other + 1]);
      const here = histories.item.subarray(histories.indptr[s], histories.indptr[s + 1]);
      const same =
        histories.users !== undefined ||
        (there.length === here.length && here.every((t, j) => code[t] === there[j]));
      own = new Set(same ? there : []);
      tracks.set(s, own);
    }
    if (own.has(code[histories.item[start[i] + size[i]]])) known++;
  }
  return known;
}

/**
 * Whether windows are among those that a model has held out itself: what they predict was not
 * learnt, though other windows have read it.
 */
function isHeldOut(windows: SequenceDataset, heldOut: SequenceDataset | undefined): boolean {
  if (!heldOut || heldOut.histories !== windows.histories) return false;
  const targets = new Set(heldOut.start.map((from, i) => from + heldOut.size[i]));
  return windows.start.every((from, i) => targets.has(from + windows.size[i]));
}

/**
 * The sequence of the same user, or the session of the same number, among those of training; −1 if
 * there is none.
 */
function sequenceIn(trained: Histories, { users }: Histories, s: number): number {
  if (users) return trained.users ? trained.users.indexOf(users.id(s)) : -1;
  if (trained.users)
    return trained.users.kind === 'session' ? trained.users.indexOf(String(s)) : -1; // sessions of which some were left out
  return s < trained.length ? s : -1;
}

/** Whether some tracks are part of others, one after the other without a gap. */
function contains(tracks: Int32Array, part: Int32Array): boolean {
  for (
    let from = tracks.indexOf(part[0]);
    from >= 0 && from + part.length <= tracks.length;
    from = tracks.indexOf(part[0], from + 1)
  ) {
    let same = 1;
    while (same < part.length && tracks[from + same] === part[same]) same++;
    if (same === part.length) return true;
  }
  return false;
}
