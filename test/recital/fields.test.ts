import { expect } from 'chai';
import fc from 'fast-check';
import { DataError } from '../../lib/recital/errors.js';
import { Fields, type Json } from '../../lib/recital/fields.js';

describe('Fields', () => {
  const fields = new Fields(
    {
      n: 1.5,
      c: 3,
      t: 'text',
      f: false,
      l: [1, 2.5],
      i: [0, 7],
      s: ['a'],
      o: { x: 1 },
      os: [{ x: 1 }, {}],
      z: null,
    },
    'config',
  );

  it('give what is there', () => {
    expect(fields.number('n')).to.equal(1.5);
    expect(fields.count('c')).to.equal(3);
    expect(fields.text('t')).to.equal('text');
    expect(fields.flag('f')).to.equal(false);
    expect(fields.numbers('l', 2)).to.deep.equal([1, 2.5]);
    expect(fields.counts('i')).to.deep.equal([0, 7]);
    expect(fields.texts('s')).to.deep.equal(['a']);
    expect(fields.object('o').number('x')).to.equal(1);
    expect(fields.objects('os').map((o) => o.names)).to.deep.equal([['x'], []]);
    expect([
      fields.has('z'),
      fields.has('y'),
      fields.isList('l'),
      fields.isList('o'),
      fields.isObject('o'),
      fields.isObject('l'),
    ]).to.deep.equal([true, false, true, false, true, false]);
  });

  it('say what was expected and what came', () => {
    const bad: [() => unknown, string][] = [
      [() => fields.number('t'), 'config.t should be a number, got "text"'],
      [() => fields.number('none'), 'config.none should be a number, got nothing'],
      [() => fields.number('toString'), 'got nothing'],
      [() => fields.count('n'), 'config.n should be a whole number, 0 or more, got 1.5'],
      [() => fields.text('n'), 'config.n should be text, got 1.5'],
      [() => fields.flag('z'), 'config.z should be true or false, got null'],
      [() => fields.numbers('l', 3), 'config.l should be 3 numbers, got a list of 2'],
      [() => fields.counts('l'), 'config.l should be a list of whole numbers, 0 or more'],
      [() => fields.texts('l'), 'config.l should be a list of texts'],
      [() => fields.objects('o'), 'config.o should be a list, got an object'],
      [() => fields.object('s'), 'config.s should be an object, got a list of 1'],
      [() => fields.object('o').object('x'), 'config.o.x should be an object, got 1'],
      [() => fields.objects('os')[1].text('x'), 'config.os[1].x should be text, got nothing'],
      [
        () => fields.objects('os')[0].only(['y', 'z']),
        'config.os[0] has an unknown field "x"; known are: y, z',
      ],
      [() => Fields.parse(undefined, 'config'), 'config is missing'],
      [() => Fields.parse('{', 'config'), 'config is not JSON'],
      [
        () => Fields.parse(`{"a":"${'x'.repeat(2 ** 20)}"}`, 'config'),
        'at most 1048576 were expected',
      ],
    ];
    for (const [read, message] of bad) expect(read).to.throw(DataError, message);
  });

  it('take any JSON without another error than theirs (property)', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), (value, name) => {
        let made: Fields;
        try {
          made = Fields.parse(JSON.stringify(value), 'x');
        } catch (error) {
          expect(error).to.be.instanceOf(DataError);
          return;
        }
        for (const read of [
          'number',
          'count',
          'text',
          'flag',
          'numbers',
          'counts',
          'texts',
          'object',
          'objects',
        ] as const) {
          for (const field of [...made.names, name]) {
            try {
              const got: unknown = made[read](field);
              if (!(got instanceof Fields) && read !== 'objects')
                expect(got).to.deep.equal(
                  (JSON.parse(JSON.stringify(value)) as Record<string, Json>)[field],
                );
            } catch (error) {
              expect(error).to.be.instanceOf(DataError);
            }
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
