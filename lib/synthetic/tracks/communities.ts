/**
 * The kinds of music that an invented artist can belong to, with what they are made of. The numbers
 * were estimated on the dataset's published columns: a mixture of 29 tag distributions fitted to
 * the artists' tags, then the mean of each audio feature within it.
 */
export interface Scene {
  name: string;
  /** Per cent of the tracks. */
  share: number;
  /**
   * Which genre the tracks have where one is given, in per cent (balanced against the dataset's
   * genre counts afterwards).
   */
  genres: string;
  /**
   * Tags and the per cent of the scene's tracks that carry them (balanced against the dataset's tag
   * counts afterwards).
   */
  tags: string;
  /** Mean normal scores of the audio features, in the order of `SOUND` below. */
  sound: readonly number[];
}

/** The order of `Scene.sound`. */
export const SOUND = [
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
  'mode',
  'time_signature',
] as const;

export const SCENES: readonly Scene[] = [
  {
    name: 'indie rock',
    share: 4.9,
    genres: 'Rock 97, Pop 3',
    tags: 'indie 73, indie_rock 60, rock 50, alternative 47, alternative_rock 24, indie_pop 19, 00s 17, american 14, female_vocalists 12, singer_songwriter 11, mellow 10, beautiful 8, post_punk 8, folk 8',
    sound: [-0.06, -0.18, 0.07, -0.44, 0.23, -0.02, -0.05, 0.11, 0.04, -0.15, 0.08, 0.07, -0.06],
  },
  {
    name: 'classic rock',
    share: 3.7,
    genres: 'Rock 80, Blues 6, Pop 8, Folk 6',
    tags: 'classic_rock 66, rock 58, 60s 42, 70s 27, oldies 26, psychedelic_rock 22, psychedelic 20, blues_rock 19, blues 15, singer_songwriter 14, pop 14, progressive_rock 14, folk 12, british 10',
    sound: [0.17, -0.5, -0.59, -0.43, 0.61, -0.36, 0.05, 0.58, -0.12, -0.21, -0.5, 0.18, -0.02],
  },
  {
    name: 'hard rock',
    share: 1.6,
    genres: 'Rock 85, Metal 15',
    tags: 'hard_rock 74, rock 55, heavy_metal 53, classic_rock 51, metal 26, 80s 25, 70s 21, blues_rock 21, progressive_rock 8, doom_metal 7, british 6, 90s 5, blues 3, swedish 3',
    sound: [-0.31, 0.3, 0.1, 0.08, -0.12, -0.28, 0.3, 0.15, 0.07, 0.24, -0.71, 0.04, -0.02],
  },
  {
    name: 'alternative',
    share: 4.5,
    genres: 'Rock 97, Pop 3',
    tags: 'rock 79, alternative_rock 65, alternative 50, grunge 47, hard_rock 27, 90s 25, metal 9, indie 9, indie_rock 9, female_vocalists 8, funk 7, american 5, 00s 5, punk 5',
    sound: [-0.14, 0.23, 0.22, -0.15, -0.31, -0.24, -0.03, 0.14, 0.15, -0.11, -0.38, 0.07, -0.03],
  },
  {
    name: 'britpop',
    share: 4.1,
    genres: 'Rock 95, Pop 5',
    tags: 'indie 74, britpop 59, british 53, rock 51, indie_rock 51, alternative 46, alternative_rock 28, 00s 12, electronic 12, pop 11, 90s 10, beautiful 8, mellow 8, post_punk 8',
    sound: [-0.13, -0.03, 0.18, -0.34, -0.03, -0.22, -0.1, 0.12, 0.15, -0.12, 0.04, 0.04, -0.01],
  },
  {
    name: 'punk',
    share: 3.2,
    genres: 'Rock 70, Punk 30',
    tags: 'punk 80, punk_rock 72, rock 24, hardcore 21, ska 18, emo 9, alternative 7, alternative_rock 7, 80s 7, 70s 6, post_hardcore 5, swedish 5, post_punk 4, 90s 4',
    sound: [-0.35, 0.79, 0.58, 0.46, -0.43, -0.56, 0.2, 0.42, 0.27, -0.85, -0.43, 0.14, 0.06],
  },
  {
    name: 'emo',
    share: 3.1,
    genres: 'Rock 96, Punk 4',
    tags: 'rock 63, emo 56, alternative 47, alternative_rock 35, punk 35, punk_rock 30, pop_rock 21, indie 21, love 16, indie_rock 14, post_hardcore 9, pop 9, screamo 8, acoustic 7',
    sound: [-0.07, 0.27, 0.61, -0.15, -0.27, -0.82, 0.01, 0.2, 0.28, -0.23, 0.07, 0.16, -0.02],
  },
  {
    name: 'hardcore',
    share: 4.3,
    genres: 'Rock 60, Metal 35, Punk 5',
    tags: 'hardcore 57, post_hardcore 57, screamo 55, metalcore 46, emo 25, metal 13, rock 12, experimental 8, grindcore 7, punk 7, progressive_metal 6, heavy_metal 4, punk_rock 4, alternative 4',
    sound: [-0.68, 0.89, 0.83, 0.72, -0.79, -0.34, 0.25, -0.38, 0.27, -0.34, 0.26, -0.13, -0.12],
  },
  {
    name: 'songwriter',
    share: 5.2,
    genres: 'Rock 55, Folk 25, Pop 17, Country 3',
    tags: 'folk 59, indie 54, singer_songwriter 54, acoustic 46, mellow 31, female_vocalists 25, beautiful 19, alternative 15, chill 14, love 14, piano 14, indie_pop 12, rock 12, male_vocalists 12, cover 5',
    sound: [0.16, -0.91, -0.62, -0.72, 0.96, -0.22, -0.16, -0.07, -0.19, -0.18, 0.18, 0.13, -0.13],
  },
  {
    name: 'indie pop',
    share: 3.0,
    genres: 'Rock 45, Pop 38, Electronic 17',
    tags: 'indie 60, indie_pop 41, female_vocalists 38, swedish 32, pop 30, electronic 29, alternative 16, synthpop 12, chillout 12, singer_songwriter 11, british 11, rock 10, mellow 9, indie_rock 9',
    sound: [0.27, -0.31, 0, -0.48, 0.36, -0.18, -0.11, 0.21, 0.06, -0.14, 0.41, 0.02, -0.01],
  },
  {
    name: 'post rock',
    share: 2.2,
    genres: 'Rock 55, Electronic 45',
    tags: 'post_rock 70, instrumental 50, ambient 39, experimental 33, electronic 29, indie 21, chillout 11, beautiful 11, chill 10, mellow 7, indie_rock 7, alternative 7, piano 6, noise 5, classical 5',
    sound: [-0.53, -0.68, -0.71, -0.31, 0.52, 1.06, -0.15, -0.86, -0.24, 0.47, 0.15, -0.05, -0.21],
  },
  {
    name: 'progressive',
    share: 2.8,
    genres: 'Rock 70, Metal 30',
    tags: 'progressive_metal 59, progressive_rock 48, doom_metal 27, metal 13, instrumental 10, experimental 9, post_rock 9, psychedelic 8, psychedelic_rock 8, swedish 6, rock 5, death_metal 5, alternative_rock 5, alternative 5',
    sound: [-0.66, -0.06, -0.16, -0.1, -0.26, 0.37, 0.17, -0.56, -0.03, 0.85, -0.09, -0.14, -0.19],
  },
  {
    name: 'new wave',
    share: 3.0,
    genres: 'Rock 80, Electronic 12, Pop 8',
    tags: 'new_wave 66, 80s 51, post_punk 46, rock 24, synthpop 21, alternative 20, gothic 18, pop 18, electronic 16, british 12, indie 11, industrial 7, alternative_rock 6, 70s 6',
    sound: [0.27, -0.1, -0.37, -0.34, 0.03, 0.04, -0.02, 0.5, 0.13, 0.07, -0.49, 0.01, 0],
  },
  {
    name: 'noise',
    share: 3.5,
    genres: 'Rock 80, Electronic 18, Jazz 2',
    tags: 'experimental 46, indie 44, noise 32, psychedelic 26, indie_rock 25, rock 16, alternative 16, post_punk 15, electronic 14, psychedelic_rock 13, post_rock 11, indie_pop 10, 00s 8, american 6, avant_garde 14',
    sound: [-0.37, 0, -0.03, 0.12, 0.12, 0.46, 0.09, -0.26, 0.01, -0.22, 0.06, 0.03, -0.06],
  },
  {
    name: 'extreme metal',
    share: 9.5,
    genres: 'Metal 97, Rock 3',
    tags: 'death_metal 43, melodic_death_metal 29, black_metal 26, grindcore 19, metalcore 19, metal 18, thrash_metal 14, progressive_metal 8, hardcore 7, gothic_metal 4, heavy_metal 4, doom_metal 4, swedish 4, power_metal 3, symphonic_metal 3, avant_garde 2',
    sound: [-0.83, 0.96, 0.61, 0.67, -1.2, 0.51, 0.23, -0.73, -0.03, -0.01, 0.05, -0.1, -0.11],
  },
  {
    name: 'power metal',
    share: 5.0,
    genres: 'Metal 92, Rock 8',
    tags: 'power_metal 33, gothic_metal 29, heavy_metal 26, metal 25, doom_metal 23, thrash_metal 22, gothic 16, progressive_metal 8, german 5, hard_rock 5, instrumental 4, death_metal 3, female_vocalists 3, black_metal 2, symphonic_metal 14',
    sound: [-0.53, 0.49, 0.33, 0.12, -0.67, 0.13, 0.07, -0.38, 0.03, 0.47, -0.14, -0.19, -0.03],
  },
  {
    name: 'nu metal',
    share: 3.7,
    genres: 'Rock 55, Metal 32, Electronic 13',
    tags: 'industrial 52, metal 41, nu_metal 37, rock 29, hard_rock 21, alternative_rock 15, gothic 14, alternative 13, heavy_metal 13, german 10, electronic 9, gothic_metal 6, female_vocalists 5, metalcore 4',
    sound: [0.07, 0.58, 0.5, 0.22, -0.54, 0.03, 0.06, -0.09, 0.1, 0.08, -0.11, -0.02, 0.03],
  },
  {
    name: 'dance',
    share: 5.5,
    genres: 'Electronic 94, Pop 6',
    tags: 'electronic 71, electro 39, dance 28, techno 28, house 23, synthpop 16, french 11, indie 7, pop 6, chillout 5, industrial 4, female_vocalists 4, swedish 4, idm 4, trance 12, drum_and_bass 9',
    sound: [0.87, 0.1, -0.03, 0.16, -0.15, 0.51, -0.12, 0.27, 0.19, 0.38, 0.3, -0.13, 0.08],
  },
  {
    name: 'downtempo',
    share: 4.2,
    genres: 'Electronic 88, Jazz 8, World 4',
    tags: 'chillout 58, trip_hop 55, electronic 54, downtempo 51, lounge 44, ambient 24, chill 17, female_vocalists 13, jazz 13, instrumental 10, house 6, french 6, dance 5, hip_hop 5, drum_and_bass 3',
    sound: [0.6, -0.43, -0.53, -0.2, 0.41, 0.65, -0.09, 0.04, -0.13, 0.31, -0.07, -0.21, 0.02],
  },
  {
    name: 'idm',
    share: 3.7,
    genres: 'Electronic 97, Rock 3',
    tags: 'electronic 67, idm 48, ambient 39, experimental 27, chillout 15, downtempo 14, techno 12, trip_hop 12, instrumental 11, psychedelic 8, electro 7, chill 6, industrial 5, noise 5, dark_ambient 9, drum_and_bass 8',
    sound: [0.2, -0.35, -0.7, 0.2, 0.4, 0.96, -0.08, -0.41, 0.02, 0.42, -0.01, -0.1, -0.03],
  },
  {
    name: 'pop',
    share: 3.0,
    genres: 'Pop 70, RnB 12, Rock 10, Latin 4, Rap 4',
    tags: 'pop 80, female_vocalists 46, dance 28, rnb 23, pop_rock 20, rock 14, soul 14, 80s 12, 90s 12, love 11, electronic 10, male_vocalists 8, singer_songwriter 7, 00s 7, j_pop 6, cover 4',
    sound: [0.71, -0.21, 0.25, -0.27, 0.29, -0.78, -0.17, 0.49, -0.09, -0.1, 0.43, -0.05, 0.03],
  },
  {
    name: 'hip hop',
    share: 2.8,
    genres: 'Rap 92, RnB 6, Latin 2',
    tags: 'hip_hop 88, rap 68, rnb 16, funk 13, 90s 10, dance 9, 00s 8, soul 8, chill 6, pop 6, electronic 5, german 5, american 4, reggae 4',
    sound: [1.19, -0.15, 0.15, 1.32, 0.25, -0.88, 0.08, 0.64, -0.32, -0.15, 0.25, -0.1, 0.12],
  },
  {
    name: 'soul',
    share: 2.0,
    genres: 'RnB 80, Jazz 8, Pop 8, Blues 4',
    tags: 'soul 77, funk 45, rnb 30, female_vocalists 21, jazz 20, pop 19, 70s 16, oldies 14, 80s 11, 60s 10, dance 7, love 7, male_vocalists 6, chillout 6, cover 5',
    sound: [0.81, -0.51, -0.34, -0.1, 0.58, -0.53, -0.24, 0.7, -0.26, 0, 0.09, -0.12, -0.03],
  },
  {
    name: 'reggae',
    share: 2.6,
    genres: 'Reggae 88, Rock 6, World 4, Latin 2',
    tags: 'reggae 59, ska 55, rock 11, alternative 8, punk 4, 90s 4, alternative_rock 4, pop 3, chill 3, german 2, pop_rock 2, new_wave 2, funk 2, 80s 2',
    sound: [0.93, -0.01, 0.14, 0.47, 0.19, -0.64, -0.09, 1.15, 0.02, -0.25, -0.1, -0.04, 0.08],
  },
  {
    name: 'country',
    share: 1.6,
    genres: 'Country 95, Folk 5',
    tags: 'country 91, female_vocalists 20, folk 17, singer_songwriter 10, love 5, pop 4, indie 3, soundtrack 3, acoustic 3, rock 3, oldies 3, 60s 2, guitar 2, 70s 2',
    sound: [0.35, -0.49, -0.07, -0.84, 0.64, -0.81, -0.04, 0.38, -0.04, -0.26, 0.15, 0.32, -0.01],
  },
  {
    name: 'jazz',
    share: 1.4,
    genres: 'Jazz 92, Blues 3, Latin 2, World 3',
    tags: 'jazz 82, female_vocalists 17, lounge 14, blues 13, oldies 12, piano 10, french 8, instrumental 7, chillout 6, funk 6, soul 6, 60s 6, ambient 5, male_vocalists 4, classical 8, cover 6, avant_garde 8',
    sound: [0.12, -1.1, -0.94, -0.27, 1.17, 0, -0.24, 0, -0.39, 0.05, 0.42, -0.13, -0.12],
  },
  {
    name: 'blues',
    share: 1.3,
    genres: 'Blues 45, Rock 50, Jazz 5',
    tags: 'blues 65, blues_rock 54, rock 52, guitar 33, classic_rock 15, singer_songwriter 14, alternative 11, jazz 11, indie_rock 7, folk 7, experimental 6, funk 6, male_vocalists 6, 80s 5',
    sound: [0.25, -0.44, -0.37, -0.23, 0.67, 0.01, 0.04, 0.46, -0.21, -0.02, -0.23, 0.04, -0.1],
  },
  {
    name: 'new age',
    share: 2.9,
    genres: 'New Age 75, World 10, Electronic 15',
    tags: 'new_age 56, instrumental 34, ambient 33, piano 19, soundtrack 18, chillout 9, electronic 8, female_vocalists 7, folk 5, gothic 3, progressive_rock 3, french 3, beautiful 3, guitar 3, classical 22',
    sound: [-0.52, -1.25, -1.31, -0.5, 1.28, 0.85, -0.25, -0.76, -0.47, 0.05, -0.09, -0.17, -0.21],
  },
  {
    name: 'world',
    share: 1.5,
    genres: 'World 35, Pop 35, Latin 12, Rock 18',
    tags: 'french 48, german 36, indie 30, rock 20, pop 19, female_vocalists 18, electronic 16, alternative 10, singer_songwriter 9, indie_pop 7, indie_rock 6, folk 6, acoustic 5, post_rock 4, cover 6, j_pop 4',
    sound: [0.43, -0.38, -0.17, -0.37, 0.38, -0.18, -0.15, 0.32, 0.02, -0.16, 0.15, -0.12, 0],
  },
];
