import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { cycles, importsOf, roomOf, rooms, root, sources } from './support/house.js';
import { housePicture } from './support/house-picture.js';

const files = sources('lib').filter((file) => /\.(ts|cjs|mjs)$/.test(file));
const imports = files.flatMap(importsOf);

describe('the house', () => {
  it('has rooms that are known, and nothing else', () => {
    const found = new Set(sources('lib/recital').flatMap((file) => roomOf(file) ?? []));
    expect([...found].sort()).to.deep.equal([...rooms].sort());
  });

  it('is built from the ground: a room imports only from those before it', () => {
    const upwards = imports.filter(({ from, to }) => {
      const [own, other] = [roomOf(from), roomOf(to)];
      if (own === undefined) return false;
      return rooms.indexOf(other ?? '') > rooms.indexOf(own) || to === 'lib/recital/index.ts';
    });
    expect(upwards.map(({ from, to }) => `${from} -> ${to}`)).to.deep.equal([]);
  });

  it('has no source that imports itself by way of others', () => {
    expect(cycles(imports.filter(({ typesOnly }) => !typesOnly))).to.deep.equal([]);
  });

  it('is drawn as it stands in docs/house.svg', () => {
    const rooms = (svg: string): string => svg.replace(/\d+ files/g, 'files');
    const again = 'node --import tsx test/support/house-picture.ts draws it anew';
    expect(rooms(readFileSync(join(root, 'docs/house.svg'), 'utf8')), again).to.equal(
      rooms(housePicture()),
    );
  });

  it('has every file that is imported', () => {
    const missing = imports.filter(({ to }) => !existsSync(join(root, to)));
    expect(missing.map(({ from, to }) => `${from} -> ${to}`)).to.deep.equal([]);
  });
});

describe('cycles', () => {
  it('are found, however long, and only once', () => {
    const of = (...pairs: string[]): ReturnType<typeof importsOf> =>
      pairs.map((pair) => ({ from: pair[0], to: pair[1], typesOnly: false }));
    expect(cycles(of('ab', 'bc', 'ca', 'cd', 'de', 'ed', 'ef'))).to.deep.equal([
      ['d', 'e'],
      ['a', 'b', 'c'],
    ]);
    expect(cycles(of('ab', 'bc', 'ac'))).to.deep.equal([]);
  });
});
