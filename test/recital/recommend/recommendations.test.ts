import { expect } from 'chai';
import { Table } from '../../../lib/recital/data/table.js';
import { Tracks } from '../../../lib/recital/data/tracks.js';
import { Recommendations } from '../../../lib/recital/recommend/recommendations.js';

const scores = Float32Array.of(3, 2, 1);

describe('Recommendations', () => {
  it('labels each track as the paper does, as far as it is known', () => {
    const table = Table.fromRows([
      { track_id: 't1', name: 'Love Dog', artist: 'TV on the Radio', year: 2008 },
      { track_id: 't2', name: 'Untitled', artist: null, year: 1999 },
      { track_id: 't3', name: null, artist: 'Doves', year: null },
    ]);
    const { labels } = new Recommendations(['t3', 't1', 't2'], scores, {
      catalogue: new Tracks(table),
    });
    expect(labels).to.deep.equal([
      't3 by Doves',
      'Love Dog by TV on the Radio (2008)',
      'Untitled (1999)',
    ]);
  });

  it('labels by id without a catalogue, and with one that has neither artists nor years', () => {
    expect(new Recommendations(['a', 'b', 'c'], scores).labels).to.deep.equal(['a', 'b', 'c']);
    const catalogue = new Tracks(Table.fromRows([{ track_id: 'a', name: 'Love Dog' }]));
    expect(new Recommendations(['a', 'b', 'c'], scores, { catalogue }).labels).to.deep.equal([
      'Love Dog',
      'b',
      'c',
    ]);
  });
});
