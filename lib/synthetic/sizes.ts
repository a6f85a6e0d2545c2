/** How large a generated dataset is. */
export interface Size {
  /** Users, each with at least one play. */
  users: number;
  /** Rows of `User Listening History.csv`. */
  plays: number;
  /** Rows of `Music Info.csv`. */
  catalogue: number;
  /**
   * How many tracks of the catalogue anybody may play; the others have no listeners whatever the
   * number of users.
   */
  playable: number;
  /** How many different tracks occur in the listening history. */
  heard: number;
}

/**
 * The sizes by name: the committed sample, the paper's subset (10,000 users of the real data hear
 * 15,676 tracks), and the whole dataset.
 */
export const SIZES = {
  sample: { users: 4_000, plays: 42_000, catalogue: 4_000, playable: 4_000, heard: 3_000 },
  paper: { users: 10_000, plays: 103_827, catalogue: 50_683, playable: 30_459, heard: 15_676 },
  full: { users: 962_037, plays: 9_711_301, catalogue: 50_683, playable: 30_459, heard: 30_459 },
} as const satisfies Record<string, Size>;
