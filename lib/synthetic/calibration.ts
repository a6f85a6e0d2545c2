/**
 * Figures of the Kaggle dataset "Million Song Dataset + Spotify + Last.fm" that the generator aims
 * at: quantiles, counts and correlations, no row of it. Measured on its 30,459 tracks with
 * users and its 9,711,301 plays, except where a comment says otherwise.
 */

/** The probabilities that the rows of `FEATURES` are quantiles at. */
export const PROBABILITIES = [
  0, 0.0002, 0.002, 0.01, 0.05, 0.1, 0.15, 0.25, 0.375, 0.5, 0.625, 0.75, 0.825, 0.9, 0.95, 0.975,
  0.99, 0.996, 0.999, 0.9997, 1,
] as const;

/** Quantiles of the audio features, at `PROBABILITIES`. */
export const FEATURES = {
  danceability: [
    0, 0.005175, 0.07237, 0.112, 0.187, 0.24, 0.279, 0.35, 0.424, 0.486, 0.545, 0.613, 0.6608,
    0.723, 0.787, 0.828, 0.877, 0.9132, 0.9465, 0.9686, 0.986,
  ],
  energy: [
    0, 0.00007439, 0.008019, 0.05197, 0.196, 0.312, 0.396, 0.524, 0.656, 0.759, 0.847, 0.913, 0.943,
    0.969, 0.984, 0.991, 0.995, 0.998, 0.999, 0.999, 1,
  ],
  loudness: [
    -60, -41.53, -31.02, -23.51, -16.81, -13.98, -12.33, -10.19, -8.419, -7.069, -5.959, -5, -4.43,
    -3.763, -3.164, -2.669, -2.074, -1.537, -0.6216, 0.5181, 3.642,
  ],
  speechiness: [
    0, 0.001997, 0.02399, 0.0256, 0.0282, 0.0302, 0.0319, 0.0355, 0.041, 0.0489, 0.0621, 0.0854,
    0.11, 0.157, 0.224, 0.298, 0.398, 0.4875, 0.7823, 0.9236, 0.954,
  ],
  acousticness: [
    0, 0, 0.000001209, 0.00000243, 0.0000141, 0.00005586, 0.000166, 0.0009645, 0.0062, 0.0311, 0.11,
    0.31, 0.519, 0.764, 0.894, 0.95, 0.9794, 0.991, 0.995, 0.996, 0.996,
  ],
  instrumentalness: [
    0, 0, 0, 0, 0, 0, 0.00000115, 0.0000285, 0.000643, 0.0098, 0.104, 0.51, 0.7508, 0.862, 0.908,
    0.934, 0.956, 0.972, 0.986, 0.9927, 0.999,
  ],
  liveness: [
    0, 0.0161, 0.0267, 0.0393, 0.0611, 0.0742, 0.0836, 0.0985, 0.113, 0.138, 0.191, 0.29, 0.34,
    0.419, 0.627, 0.7635, 0.9314, 0.967, 0.986, 0.992, 0.998,
  ],
  valence: [
    0, 0, 0.0289, 0.0349, 0.0521, 0.0915, 0.131, 0.201, 0.296, 0.388, 0.495, 0.612, 0.697, 0.797,
    0.882, 0.93, 0.962, 0.969, 0.9765, 0.9809, 0.989,
  ],
  tempo: [
    0, 3.19, 57.25, 67.29, 79.35, 86.55, 92.25, 101.2, 112.4, 122.2, 131, 142.2, 152.3, 168.1, 177,
    184.3, 195.7, 201.5, 208.1, 214.1, 238.9,
  ],
  duration_ms: [
    1439, 32190, 42240, 63920, 120100, 150200, 168400, 193100, 215100, 235600, 258200, 289500,
    317900, 363900, 430300, 500900, 619300, 766800, 1131000, 1491000, 2511000,
  ],
} as const;

/** The columns that the copula joins, in the order of `LATENT`. */
export const COLUMNS = [
  'danceability',
  'energy',
  'loudness',
  'speechiness',
  'acousticness',
  'instrumentalness',
  'liveness',
  'valence',
  'tempo',
  'duration_ms',
  'year',
  'key',
  'mode',
  'time_signature',
] as const;

/**
 * Correlations of the normal scores behind the columns (lower triangle): four fifths what gives the
 * Pearson correlations of the columns once the quantile tables are applied, one fifth what gives
 * the Spearman ones. Both at once is more than a Gaussian copula can do: energy and speechiness
 * have .231 and .512.
 */
export const LATENT: readonly (readonly number[])[] = [
  [1],
  [-0.101, 1],
  [-0.006, 0.811, 1],
  [-0.01, 0.37, 0.235, 1],
  [0.058, -0.787, -0.675, -0.254, 1],
  [-0.174, -0.14, -0.357, -0.091, 0.105, 1],
  [-0.146, 0.232, 0.134, 0.185, -0.149, -0.043, 1],
  [0.554, 0.179, 0.19, -0.009, -0.12, -0.327, -0.042, 1],
  [-0.109, 0.236, 0.187, 0.113, -0.22, -0.036, 0.024, 0.074, 1],
  [-0.063, -0.023, -0.063, -0.124, -0.106, 0.229, -0.001, -0.229, 0.002, 1],
  [0.048, 0.064, 0.228, 0.045, -0.016, -0.023, 0.007, -0.064, 0.02, -0.009, 1],
  [0.009, 0.031, 0.012, 0.04, -0.027, 0.022, 0.005, 0.023, 0.015, 0.014, -0.006, 1],
  [-0.017, -0.01, 0.014, -0.032, 0.017, -0.085, -0.014, 0.048, 0.013, -0.098, -0.074, -0.206, 1],
  [0.236, 0.187, 0.168, 0.04, -0.192, -0.092, 0.017, 0.22, 0.011, -0.009, 0.012, 0.008, 0.017, 1],
];

/**
 * How much of what the scene leaves open is the artist's, per column of `COLUMNS` (from the
 * intraclass correlation of tracks of one artist).
 */
export const ARTIST_SHARE = [
  0.31, 0.31, 0.41, 0.26, 0.31, 0.42, 0.07, 0.25, 0.06, 0.25, 0.38, 0.02, 0.09, 0.02,
] as const;

/** Tracks in each key, C to B. */
export const KEYS = [
  3357, 2822, 3559, 820, 2610, 2111, 1963, 3580, 1797, 3553, 1791, 2496,
] as const;

/** Tracks in minor and in major. */
export const MODES = [11439, 19020] as const;

/** Tracks by beats in the bar; `TIME_SIGNATURES[i]` counts those of `TIME_SIGNATURE_VALUES[i]`. */
export const TIME_SIGNATURE_VALUES = [0, 1, 3, 4, 5] as const;
export const TIME_SIGNATURES = [7, 303, 2808, 26886, 455] as const;

/** Tracks by year: five of 1900 (a placeholder in the source), then 1950 to 2020. */
export const YEAR_1900 = 5;
export const FIRST_YEAR = 1950;
export const YEARS = [
  1, 0, 0, 0, 1, 0, 2, 2, 1, 0, 2, 1, 4, 2, 10, 11, 23, 42, 34, 32, 50, 30, 33, 52, 45, 40, 44, 39,
  64, 61, 71, 69, 67, 77, 91, 86, 83, 152, 139, 148, 179, 222, 258, 334, 403, 469, 523, 617, 606,
  719, 810, 1159, 1190, 1464, 1731, 2033, 2242, 2848, 2563, 2527, 1631, 1027, 824, 835, 760, 239,
  258, 157, 138, 69, 10,
] as const;

/**
 * Share of tracks without a genre, and tracks of each genre among the 50,683 of the catalogue (the
 * counts are as public explorations of the dataset quote them).
 */
export const GENRE_MISSING = 0.559;
export const GENRES = {
  Rock: 9965,
  Electronic: 3710,
  Metal: 2516,
  Pop: 1145,
  Rap: 820,
  Jazz: 793,
  RnB: 747,
  Reggae: 691,
  Country: 607,
  Punk: 382,
  Folk: 356,
  'New Age': 237,
  Blues: 188,
  World: 140,
  Latin: 51,
} as const;

/**
 * Tracks of each of the 100 tags, in the order in which a track lists them. The last eleven are
 * counts (four of them known, the others estimated) in the catalogue of 50,683, brought to the same
 * scale.
 */
export const TAGS = {
  rock: 6087,
  indie: 4868,
  electronic: 4071,
  alternative: 3852,
  female_vocalists: 2528,
  indie_rock: 2493,
  alternative_rock: 2456,
  pop: 2359,
  metal: 1924,
  experimental: 1789,
  chillout: 1677,
  ambient: 1657,
  singer_songwriter: 1615,
  folk: 1557,
  instrumental: 1542,
  punk: 1527,
  death_metal: 1354,
  british: 1319,
  acoustic: 1275,
  hardcore: 1273,
  hard_rock: 1214,
  classic_rock: 1209,
  metalcore: 1208,
  indie_pop: 1186,
  '90s': 1178,
  mellow: 1168,
  '80s': 1131,
  dance: 1128,
  punk_rock: 1123,
  emo: 1109,
  hip_hop: 1083,
  '00s': 1082,
  beautiful: 1076,
  downtempo: 1064,
  heavy_metal: 1035,
  electro: 1034,
  trip_hop: 1031,
  progressive_metal: 1015,
  post_hardcore: 1013,
  chill: 1003,
  psychedelic: 975,
  progressive_rock: 968,
  love: 949,
  post_punk: 927,
  jazz: 920,
  britpop: 910,
  melodic_death_metal: 905,
  industrial: 905,
  piano: 894,
  screamo: 858,
  post_rock: 857,
  black_metal: 857,
  soul: 845,
  swedish: 816,
  thrash_metal: 811,
  american: 810,
  lounge: 804,
  new_wave: 799,
  grunge: 798,
  doom_metal: 765,
  funk: 764,
  '70s': 748,
  soundtrack: 738,
  blues: 731,
  idm: 725,
  male_vocalists: 721,
  guitar: 702,
  grindcore: 701,
  techno: 696,
  ska: 688,
  gothic_metal: 687,
  synthpop: 685,
  gothic: 675,
  country: 674,
  rap: 656,
  pop_rock: 651,
  noise: 640,
  blues_rock: 638,
  power_metal: 637,
  psychedelic_rock: 635,
  german: 630,
  '60s': 629,
  reggae: 626,
  french: 625,
  new_age: 610,
  rnb: 567,
  nu_metal: 563,
  house: 549,
  oldies: 482,
  cover: 541,
  classical: 481,
  trance: 511,
  symphonic_metal: 469,
  avant_garde: 481,
  drum_and_bass: 391,
  dark_ambient: 362,
  japanese: 294,
  polish: 247,
  j_pop: 128,
  russian: 76,
} as const;

/** Tracks with 1, 2, 3 … 16 tags; the few with more are counted with 16. */
export const TAGS_PER_TRACK = [
  4641, 5973, 5767, 4529, 3113, 2068, 1295, 793, 483, 241, 123, 54, 42, 12, 6, 36,
] as const;

/** Share of tracks without tags. */
export const TAGS_MISSING = 0.0222;

/** Tracks per artist: the share of artists with at most `[1]` tracks is `[0]`. */
export const TRACKS_PER_ARTIST: readonly (readonly [number, number])[] = [
  [0, 0.5],
  [0.4189, 1.5],
  [0.564, 2.5],
  [0.6477, 3.5],
  [0.745, 6],
  [0.85, 9.5],
  [0.9, 13],
  [0.95, 19],
  [0.99, 37],
  [0.999, 55],
  [1, 68],
];

/**
 * Plays (tracks heard) of a user: quantiles of the logarithm, to be rounded up. Median 5, mean
 * 10.1, 90th percentile 24, 99th 71, greatest 784.
 */
export const PLAYS_PER_USER: readonly (readonly [number, number])[] = [
  [0.0139, 0.4],
  [0.44, 4],
  [0.5, 4.7],
  [0.75, 10.7],
  [0.9, 23.6],
  [0.99, 70.5],
  [0.9999, 235],
  [0.99999948, 784],
];

/**
 * Users per track with 9,711,301 plays in all: quantiles of the logarithm. Median 57, mean
 * 319, 90th percentile 738, 99th 3,836, greatest 80,656.
 */
export const USERS_PER_TRACK: readonly (readonly [number, number])[] = [
  [0.00135, 0.5],
  [0.112, 4.5],
  [0.5, 57],
  [0.75, 237],
  [0.9, 738],
  [0.99, 3836],
  [0.999, 13500],
  [0.99998358, 80656],
];

/**
 * The share of plays with a playcount of at least `[0]` is `[1]`, straight on double logarithmic
 * paper in between. Mean 2.63, 99th percentile 21, greatest 2,948.
 */
export const PLAYCOUNT_AT_LEAST: readonly (readonly [number, number])[] = [
  [1, 1],
  [2, 0.392],
  [3, 0.236],
  [4, 0.1672],
  [6, 0.0968],
  [11, 0.0349],
  [22, 0.0099],
  [45, 0.0021],
  [100, 0.00034],
  [700, 2.7e-6],
  [2948, 5.2e-8],
];
