import type { Random } from '../../recital/compute/random.js';
import {
  ABROAD,
  ADJECTIVES,
  FIRST_NAMES,
  GERUNDS,
  GRIM,
  HEAVY,
  LAST_NAMES,
  type Language,
  LIGHT,
  NOUNS,
  PLACES,
  STREET,
  VERBS,
} from './words.js';

/** How names sound: which of the word lists a scene prefers. */
export type Flavour = 'band' | 'solo' | 'grim' | 'street' | 'electronic';

const FLAVOURS: Record<string, Flavour> = {
  songwriter: 'solo',
  country: 'solo',
  jazz: 'solo',
  blues: 'solo',
  soul: 'solo',
  pop: 'solo',
  'new age': 'solo',
  hardcore: 'grim',
  'extreme metal': 'grim',
  'power metal': 'grim',
  'nu metal': 'grim',
  progressive: 'grim',
  'hip hop': 'street',
  reggae: 'street',
  dance: 'electronic',
  downtempo: 'electronic',
  idm: 'electronic',
};

/** The flavour of a scene's names. */
export function flavour(scene: string): Flavour {
  return FLAVOURS[scene] ?? 'band';
}

type Pattern = (r: Random) => string;

const pick = <T>(random: Random, items: readonly T[]): T => items[random.int(items.length)];
const adjective: Pattern = (r) => pick(r, ADJECTIVES);
const noun: Pattern = (r) => pick(r, NOUNS);
const verb: Pattern = (r) => pick(r, VERBS);
const gerund: Pattern = (r) => pick(r, GERUNDS);
const place: Pattern = (r) => pick(r, PLACES);
const first: Pattern = (r) => pick(r, FIRST_NAMES);
const last: Pattern = (r) => pick(r, LAST_NAMES);
const grim: Pattern = (r) => pick(r, GRIM);
const street: Pattern = (r) => pick(r, STREET);
const heavy: Pattern = (r) => pick(r, HEAVY.start) + pick(r, HEAVY.end);
const light: Pattern = (r) => pick(r, LIGHT.start) + pick(r, LIGHT.end);
const plural: Pattern = (r) => pluralOf(noun(r));

function pluralOf(word: string): string {
  if (/[^aeiou]y$/.test(word)) return word.slice(0, -1) + 'ies';
  return word + (/(s|x|ch|sh)$/.test(word) ? 'es' : 's');
}

const ARTISTS: Record<Flavour, readonly Pattern[]> = {
  band: [
    (r) => `The ${adjective(r)} ${plural(r)}`,
    (r) => `${adjective(r)} ${noun(r)}`,
    (r) => `${noun(r)} ${plural(r)}`,
    (r) => `The ${noun(r)} ${plural(r)}`,
    (r) => `${place(r)} ${noun(r)}`,
    (r) => `${first(r)} & the ${plural(r)}`,
    (r) => `${gerund(r)} ${noun(r)}`,
    (r) => `${last(r)}, ${last(r)} and ${last(r)}`,
  ],
  solo: [
    (r) => `${first(r)} ${last(r)}`,
    (r) => `${first(r)} ${last(r)}`,
    (r) => `${first(r)} ${first(r)} ${last(r)}`,
    (r) => `${first(r)} "${noun(r)}" ${last(r)}`,
    (r) =>
      `The ${last(r)} ${pick(r, ['Trio', 'Quartet', 'Sisters', 'Brothers', 'Ensemble', 'Orchestra'])}`,
    (r) => `${first(r)} ${last(r)} and the ${plural(r)}`,
  ],
  grim: [
    heavy,
    heavy,
    (r) => `${heavy(r)} ${grim(r)}`,
    (r) => `${adjective(r)} ${grim(r)}`,
    (r) => `${grim(r)} of ${heavy(r)}`,
    (r) => `${pluralOf(noun(r))} to ${grim(r)}`,
  ],
  street: [
    (r) => `${first(r)} ${street(r)}`,
    (r) => `${adjective(r)} ${street(r)}`,
    (r) => `Kid ${noun(r)}`,
    (r) => `${street(r)} ${pluralOf(noun(r))}`,
    (r) => `${first(r)} the ${noun(r)}`,
    (r) => `${place(r)} ${street(r)}`,
  ],
  electronic: [
    light,
    light,
    (r) => `${light(r)} ${noun(r)}`,
    (r) => `${adjective(r)} ${light(r)}`,
    (r) => `${noun(r)} ${10 + r.int(90)}`,
    (r) => `${first(r)} ${light(r)}`,
  ],
};

const TITLES: readonly Pattern[] = [
  (r) => `${adjective(r)} ${noun(r)}`,
  (r) => `${adjective(r)} ${noun(r)}`,
  (r) => `The ${noun(r)} of ${plural(r)}`,
  (r) => `${noun(r)} ${pick(r, ['in', 'for', 'without', 'after', 'under', 'by'])} the ${noun(r)}`,
  (r) => `${verb(r)} ${pick(r, ['Me', 'Us', 'With Me', 'Again', 'Away', 'Slowly'])}, ${noun(r)}`,
  (r) => `${verb(r)} the ${adjective(r)} ${noun(r)}`,
  (r) => `${gerund(r)} ${plural(r)} on ${place(r)}`,
  (r) => `${noun(r)} on ${place(r)}`,
  (r) => `${first(r)}'s ${adjective(r)} ${noun(r)}`,
  (r) =>
    `${adjective(r)} ${pick(r, ['Song', 'Letter', 'Map', 'Home', 'Reason', 'Name'])} for ${first(r)}`,
  (r) =>
    `${pick(r, ['My', 'Your', 'Our', 'Her', 'His', 'No', 'Every'])} ${adjective(r)} ${noun(r)}`,
  (r) =>
    `${pick(r, ['Where', 'When', 'Why', 'How'])} the ${adjective(r)} ${noun(r)} ${pick(r, ['Goes', 'Ends', 'Begins', 'Sleeps', 'Turns', 'Stays'])}`,
  (r) => `${noun(r)} ${noun(r)}`,
];

/** Patterns that a title takes now and then: one word, a comma, quotation marks, brackets. */
const RARE_TITLES: readonly Pattern[] = [
  noun,
  (r) => `"${noun(r)}," ${pick(r, ['She', 'He', 'They'])} Said`,
  (r) => `${noun(r)}, ${noun(r)} & ${noun(r)}`,
  (r) => `The "${adjective(r)}" ${noun(r)}`,
  (r) =>
    `${adjective(r)} ${noun(r)} (${pick(r, ['Live', 'Acoustic', 'Demo', 'Reprise', 'Album Version'])})`,
  (r) => `${adjective(r)} ${noun(r)}, Pt. ${1 + r.int(3)}`,
  (r) => `${verb(r)}, ${verb(r)}!`,
  (r) => `What ${pick(r, ['Did', 'Would', 'Will'])} the ${noun(r)} Say?`,
];

const FLAVOURED: Partial<Record<Flavour, readonly Pattern[]>> = {
  grim: [
    (r) => `${grim(r)} of the ${adjective(r)} ${grim(r)}`,
    (r) => `${adjective(r)} ${grim(r)}`,
    (r) => `${gerund(r)} the ${adjective(r)} ${grim(r)}`,
    (r) => `${grim(r)}, ${grim(r)} and ${grim(r)}`,
    (r) => `The ${grim(r)} of ${heavy(r)}`,
  ],
  street: [
    (r) => `${street(r)} ${noun(r)}`,
    (r) => `${adjective(r)} ${street(r)}`,
    (r) => `${verb(r)} the ${adjective(r)} ${street(r)}`,
    (r) => `${noun(r)} ${street(r)} (feat. ${first(r)} ${street(r)})`,
    (r) => `${street(r)} on ${place(r)}`,
  ],
  electronic: [
    (r) => `${light(r)} ${noun(r)}`,
    (r) => `${noun(r)} ${light(r)}`,
    (r) => `${adjective(r)} ${light(r)}`,
    (r) => `${light(r)} (${adjective(r)} ${pick(r, ['Extended', 'Dub', 'Night'])} Mix)`,
  ],
};

/** An artist's name that is not in `used` yet; adds it. */
export function artistName(
  random: Random,
  style: Flavour,
  language: Language | undefined,
  used: Set<string>,
): string {
  for (let attempt = 0; ; attempt++) {
    let name = pick(random, ARTISTS[style])(random);
    if (language && attempt < 40) {
      const { bands, nouns, links } = ABROAD[language];
      name =
        attempt < 3
          ? pick(random, bands)
          : join(pick(random, nouns), pick(random, links), language);
    }
    if (used.has(name.toLowerCase())) continue;
    used.add(name.toLowerCase());
    return name;
  }
}

/**
 * A title. Titles may repeat, as they do in reality, but not for one artist: `used` holds those
 * that the artist has.
 */
export function trackTitle(
  random: Random,
  style: Flavour,
  language: Language | undefined,
  used: Set<string>,
): string {
  for (let attempt = 0; ; attempt++) {
    const title = propose(random, style, attempt < 8 ? language : undefined);
    if (used.has(title)) continue;
    used.add(title);
    return title;
  }
}

function propose(random: Random, style: Flavour, language: Language | undefined): string {
  if (language && random.int(10) < 7) {
    const { nouns, links } = ABROAD[language];
    const noun =
      random.int(3) === 0
        ? pick(random, nouns)
        : `${pick(random, nouns)}, ${lowerFirst(pick(random, nouns))}`;
    return join(noun, pick(random, links), language);
  }
  if (random.int(100) < 9) return pick(random, RARE_TITLES)(random);
  const own = FLAVOURED[style];
  return own && random.int(2) === 0 ? pick(random, own)(random) : pick(random, TITLES)(random);
}

function join(noun: string, link: string, language: Language): string {
  const text = language === 'japanese' ? noun + link : `${noun} ${link}`;
  return text[0].toUpperCase() + text.slice(1);
}

function lowerFirst(text: string): string {
  return text[0].toLowerCase() + text.slice(1);
}
