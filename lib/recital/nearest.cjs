// "Did you mean …?": the known name that a misspelt one is likely to mean. For the library's
// errors, and for a cell's before the library is loaded.
const { closest, distance } = require('fastest-levenshtein');

/**
 * The share of a name's characters that may differ for it to be suggested: of one letter none, of
 * three one.
 */
const NEAR = 0.4;
/** Letters with which two names must begin alike. */
const BEGINS = 4;

/**
 * A name in lower case and without what Python puts between its words: "n_factors" is "nfactors".
 */
function joined(name) {
  return name.toLowerCase().replace(/[_-]/g, '');
}

/**
 * Whether two texts differ by two neighbouring letters that have changed places: the commonest
 * slip, though two edits by the distance.
 */
function isSwapped(a, b) {
  if (a.length !== b.length) return false;
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  return (
    i + 1 < a.length && a[i] === b[i + 1] && a[i + 1] === b[i] && a.slice(i + 2) === b.slice(i + 2)
  );
}

/**
 * The known name nearest to `id` by edit distance, ignoring case; where more than `NEAR` of it
 * would have to change, one that begins with most of `id`; or none.
 */
function nearest(id, known) {
  if (known.length === 0 || id.length === 0) return [];
  const folded = id.toLowerCase();
  const bare = joined(id);
  const same =
    known.find((name) => name.toLowerCase() === folded) ??
    (bare === '' ? undefined : known.find((name) => joined(name) === bare));
  if (same !== undefined) return [same];
  const swapped = known.find((name) => isSwapped(folded, name.toLowerCase()));
  if (swapped !== undefined) return [swapped];
  if (id.length > 1000) return []; // nobody mistypes that much, and finding the distance takes the product of the lengths
  const near = byDistance(id, folded, known);
  if (near.length) return near;
  // "plays" for "playcount", "dance" for "danceability": nearly all of the name is how another one
  // begins.
  const start = folded.slice(0, Math.max(BEGINS, Math.ceil(0.75 * id.length)));
  const longer = known.find((name) => name.toLowerCase().startsWith(start));
  return longer === undefined || id.length < BEGINS ? [] : [longer];
}

function byDistance(id, folded, known) {
  const allowed = (name) => NEAR * Math.max(id.length, name.length);
  const possible = known.filter((name) => Math.abs(name.length - id.length) <= allowed(name)); // no distance is less than the difference in length
  const pool =
    possible.length > 50_000
      ? possible.filter((name) => name[0]?.toLowerCase() === folded[0])
      : possible;
  if (pool.length === 0) return [];
  const lower = pool.map((name) => name.toLowerCase());
  const least = distance(folded, closest(folded, lower));
  if (pool.every((name) => least > allowed(name))) return [];
  // Of several that are equally near, one that has all the letters typed, in their order ("embP":
  // embedP, not embSz), or all of whose letters were typed; of these the one that begins alike for
  // longest.
  const rank = (name) =>
    (isWithin(folded, name) || isWithin(name, folded) ? 1000 : 0) + commonStart(folded, name);
  const nearest = lower.flatMap((name, i) =>
    Math.abs(name.length - folded.length) <= least && distance(folded, name) === least ? [i] : [],
  );
  const best = nearest.reduce((a, b) => (rank(lower[b]) > rank(lower[a]) ? b : a));
  return least <= allowed(pool[best]) ? [pool[best]] : [];
}

/** Whether all letters of a text stand in another one, in their order. */
function isWithin(part, whole) {
  let at = 0;
  for (let i = 0; i < whole.length && at < part.length; i++) if (whole[i] === part[at]) at++;
  return at === part.length;
}

/** How many letters two texts begin with alike. */
function commonStart(a, b) {
  let n = 0;
  while (n < a.length && a[n] === b[n]) n++;
  return n;
}

module.exports = { nearest };
