import type { InteractionValue } from '../../../lib/recital/data/csr.js';
import type { Plays } from '../../../lib/recital/data/plays.js';
import { Table } from '../../../lib/recital/data/table.js';
import { checkArgument, checkNumber, checkOptions } from '../../../lib/recital/options.js';
import { Interactions } from '../../../lib/recital/recommend/interactions.js';
import { PlayValues, readValue } from '../../../lib/recital/recommend/play-values.js';
import { checkScores, Recommender } from '../../../lib/recital/recommend/recommender.js';
import type { SavedForm } from '../../../lib/recital/recommend/saved-form.js';

/** Options of {@link Friends}. */
export interface FriendsOptions {
  /**
   * Who is whose friend: a row each with the columns user_id and friend_id. Both ways count only if
   * both are there.
   */
  friends: Table;
  /**
   * What a play is worth: ln(1 + playcount) ('log', default), 1 ('binary') or the playcount
   * ('count').
   */
  value?: InteractionValue;
  /** How much popular tracks are held back: values are divided by users^power; default 0.2. */
  popularityPower?: number;
}

/**
 * What a user's friends play: score of a track = Σ over friends of value /
 * users^popularityPower. Alone it is weak, and says nothing to those without friends; in a
 * {@link Hybrid} it adds what plays do not know.
 * @example new Hybrid([ease, new Friends(plays, { friends })], { weights: [1, 0.2] })
 */
export class Friends extends Recommender {
  readonly name: string = 'Friends';
  /** All options but the friends. */
  readonly options: Readonly<Required<Omit<FriendsOptions, 'friends'>>>;
  private readonly data: Float32Array;
  /** Indices of each user's friends, ascending. */
  readonly friendsOf: readonly (readonly number[])[];

  /** @param plays the training plays */
  constructor(plays: Plays, options: FriendsOptions) {
    checkOptions(options, ['friends', 'value', 'popularityPower'], 'Friends');
    const { friends, value = 'log', popularityPower = 0.2 } = options;
    checkArgument(
      friends instanceof Table,
      friends,
      'Friends',
      'friends, a table of user_id and friend_id, such as (await readHetRec(folder)).friends',
    );
    super(Interactions.fromPlays(plays), { catalogue: plays.catalogue });
    checkNumber(
      popularityPower,
      popularityPower >= 0 && popularityPower < Infinity,
      'popularityPower must be a number from 0 on',
    );
    this.options = { value, popularityPower };
    const perTrack = this.seen.usersPerTrack();
    this.data = new PlayValues(this.seen, value).data.map(
      (x, j) => x / perTrack[this.seen.indices[j]] ** popularityPower,
    );
    const others = this.seen.users.classes.map(() => new Set<number>());
    const [users, named] = [friends.strings('user_id'), friends.strings('friend_id')];
    for (let i = 0; i < friends.length; i++) {
      const user = this.users.indexOf(users[i] ?? '');
      const friend = this.users.indexOf(named[i] ?? '');
      if (user >= 0 && friend >= 0 && user !== friend) others[user].add(friend);
    }
    this.friendsOf = others.map((set) => [...set].sort((a, b) => a - b));
  }

  scores(users: Int32Array, out: Float32Array): void {
    checkScores(this, users, out);
    const tracks = this.tracks.length;
    const { indptr, indices } = this.seen;
    out.fill(0);
    for (let b = 0; b < users.length; b++) {
      for (const friend of this.friendsOf[users[b]]) {
        for (let j = indptr[friend]; j < indptr[friend + 1]; j++)
          out[b * tracks + indices[j]] += this.data[j];
      }
    }
  }

  /** How a file describes it, and how it is made again. */
  static readonly saved: SavedForm<Friends> = {
    name: 'Friends',
    describe: ({ options, friendsOf }) => {
      const user = Int32Array.from(friendsOf.flatMap((others, u) => others.map(() => u)));
      const friend = Int32Array.from(friendsOf.flat());
      return {
        config: { ...options },
        tensors: new Map([
          ['user', { shape: [user.length], data: user }],
          ['friend', { shape: [friend.length], data: friend }],
        ]),
      };
    },
    make: ({ plays }, config, tensors) => {
      const ids = (name: string): string[] =>
        Array.from(tensors.read(name, 'I32'), (u) =>
          u >= 0 && u < plays.users.length
            ? plays.users.id(u)
            : config.wrong('name', 'friends who are users'),
        );
      const friends = new Table({ user_id: ids('user'), friend_id: ids('friend') });
      return new Friends(plays, {
        friends,
        value: readValue(config),
        popularityPower: config.number('popularityPower'),
      });
    },
  };
}
