// What the tests of recital/browser run, in a page and in Node: texts, which must be the same in
// both, and some of the recommenders.
export async function inPage(recital) {
  const { CollabDataLoaders, collabLearner, lstmLearner, PCA, Plays, SequenceDataLoaders } =
    recital;
  const { ALS, EASE, evaluateRecommender, ItemKNN, perUserSplit, splitPlays } = recital;
  const { Popularity, StandardScaler, Table, TruncatedSVD } = recital;
  recital.setCompute({ threads: 1 });
  const rows = Array.from({ length: 600 }, (_, i) => {
    const [u, t] = [i % 60, Math.floor(i / 60)];
    return { user: `u${u}`, track: `ü${(7 * u + t * t) % 40}`, playcount: 1 + t };
  });
  const plays = Plays.fromRows(rows);
  const { train, valid } = splitPlays(plays, perUserSplit(plays, { ratios: [0.8, 0.2], seed: 1 }));

  const dls = CollabDataLoaders.fromPlays(plays, { bs: 64, seed: 1 });
  const collab = collabLearner(dls, { nFactors: 8, seed: 1 });
  await collab.fitOneCycle(2, 5e-3);

  const sls = SequenceDataLoaders.fromPlays(plays, { bs: 32, seed: 1 });
  const lstm = lstmLearner(sls, { seed: 1 });
  await lstm.fitOneCycle(2, 1e-2);

  const data = Float64Array.from(
    { length: 300 },
    (_, i) => ((i * i * 7919 + 104729 * (i % 6)) % 1009) / 64,
  );
  const scaled = await new StandardScaler().fitTransform({ shape: [50, 6], data });
  const pca = await new PCA({ nComponents: 3 }).fit(scaled);
  const svd = await new TruncatedSVD({ nComponents: 2, seed: 1 }).fit(scaled);
  const als = await ALS.fit(train, { factors: 4, seed: 1 });
  const ease = await EASE.fit(train);
  const evaluation = await evaluateRecommender(new ItemKNN(train), valid);
  const weights = ({ model }) => model.parameters.map(({ name, value }) => [name, bytes(value)]);
  const texts = {
    collab: JSON.stringify(weights(collab)),
    lstm: JSON.stringify(weights(lstm)),
    pca: bytes(pca.components),
    svd: bytes(svd.components),
    als: JSON.stringify(als.recommend('u3', { n: 3 })),
    alsList: String(als.recommend('u3', { n: 3 })),
    ease: JSON.stringify(ease.recommend('u3', { n: 3 })),
    popularity: String(new Popularity(train).recommend('u3', { n: 3 })),
    collabList: String(collab.recommend('u3', { n: 3 })),
    evaluation: JSON.stringify(evaluation.means ?? evaluation),
    table: String(new Table({ track: ['ü', 'b'], n: [1, 2] })),
    learner: String(collab.model),
  };
  return { made: { als, collab }, texts };
}

/** The bytes of an array as hexadecimal digits. */
function bytes(values) {
  const { data = values } = values;
  const all = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return Array.from(all, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
