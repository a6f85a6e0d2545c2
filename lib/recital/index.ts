// Every public name, and nothing else.

// compute
export {
  type AsyncSteps, interruptible, type Steps, type Stop, stoppable,
} from './compute/interrupt.js';
export { float32 } from './compute/memory.js';
export { Random } from './compute/random.js';
export { type ComputeOptions, setCompute } from './compute/threads.js';

// data
export type {
  Batch, CollabDataLoader, CollabLoaderOptions, CollabRows, DataLoader, DataLoaders, Shuffle,
} from './data/batches.js';
export {
  CollabDataLoaders, type CollabOptions, type CollabPlaysOptions, type CollabTableOptions,
} from './data/collab.js';
export type { RowWeights, Target, TargetOptions } from './data/collab-rows.js';
export {
  type Csr, type CsrLike, type CsrRows, type DenseMatrix, interactionMatrix, type InteractionMatrix,
  type InteractionMatrixOptions, type InteractionValue,
} from './data/csr.js';
export { Chart } from './data/output.js';
export {
  correlation, type Correlation, countsByGenre, describe, type Explorable, meansByYear,
  missingValues, topArtists,
} from './data/explore.js';
export type { TextFormatOptions } from './data/files/csv-format.js';
export {
  type DanfoFrame, type DanfoGroups, type DanfoSeries, type DanfoValue, fromDanfo,
  type FromDanfoOptions, toDanfo,
} from './data/files/danfo.js';
export { type HetRec, readHetRec, type ReadHetRecOptions } from './data/files/hetrec.js';
export {
  type PlaysColumnNames, readPlays, type ReadPlaysOptions, readTracks,
} from './data/files/read-plays.js';
export { readTable, type ReadTableOptions } from './data/files/read-table.js';
export {
  readSafetensors, type Safetensors, type Tensor, writeSafetensors,
} from './data/files/safetensors.js';
export { type PlaysOfQuery, sql, type SqlOptions, type SqlValue } from './data/files/sql.js';
export type { NegativeOptions } from './data/negatives.js';
export { type MinPlaysOptions, type PlayColumns, type PlayRecord, Plays } from './data/plays.js';
export type { PlaysColumns, Repairs } from './data/plays-columns.js';
export {
  type SequenceDataLoader, SequenceDataLoaders, type SequenceLoaderOptions,
  type SequenceLoadersOptions, type SequenceSplit, type SequenceSplitOptions,
} from './data/sequence-loaders.js';
export {
  createSequences, SequenceDataset, type SequenceOptions, type SequenceWindow,
} from './data/sequences.js';
export {
  readSessions, type ReadSessionsOptions, type SequenceSource, Sessions,
  type SessionsColumnNames,
} from './data/sessions.js';
export {
  kFold, type KFoldOptions, leaveKOut, type LeaveKOutOptions, orderSplit, perUserSplit,
  type PlaysSplit, randomSplit, type RandomSplitOptions, type RatioOptions, type Split, splitPlays,
} from './data/splits.js';
export {
  type Cell, type Cells, type Column, type ColumnName, type ColumnValues, type NameIn, type Row,
  Table,
} from './data/table.js';
export { audioFeatures, Tracks } from './data/tracks.js';
export { LabelEncoder, Vocabulary, type VocabularyOptions } from './data/vocabulary.js';

// decomposition
export { itemVectors, type ItemVectorsOptions } from './decomposition/item-vectors.js';
export type { MatrixLike, ReductionOptions } from './decomposition/linear-reduction.js';
export { PCA, type PCAOptions } from './decomposition/pca.js';
export { StandardScaler, type StandardScalerOptions } from './decomposition/standard-scaler.js';
export { TruncatedSVD, type TruncatedSVDOptions } from './decomposition/truncated-svd.js';

// notebook
export * from './display/index.js';
export {
  ArgumentError, DataError, InterruptedError, type MessageOptions, NumericError, RecitalError,
  setMessages, UnknownIdError,
} from './errors.js';
export {
  diversityAtK, giniAtK, type ListenersAtK, noveltyAtK, popularityAtK,
} from './evaluation/beyond-accuracy.js';
export type { Candidates, RecommenderFactory } from './evaluation/candidates.js';
export { checkRecommender, type CheckRecommenderOptions } from './evaluation/check-recommender.js';
export type { Comparison, LeftOut } from './evaluation/comparison.js';
export { type CompareOptions, evaluate } from './evaluation/evaluate.js';
export {
  type ColdTracksEvaluation, coldTrackSplit, type ColdTrackSplitOptions, evaluateColdTracks,
  type EvaluateColdTracksOptions, type EvaluateOptions, evaluateRecommender, type Evaluation,
  hitsAmong, type HitsAmong,
} from './evaluation/evaluate-recommender.js';
export { withSeen } from './evaluation/held-out.js';
export type { MetricName, RankingMetric } from './evaluation/metric-columns.js';
export {
  type AtK, averagePrecisionAtK, coverageAtK, hitAtK, ndcgAtK, precisionAtK, rankingMetrics,
  type RankingMetrics, recallAtK, reciprocalRankAtK, type Relevant,
} from './evaluation/metrics.js';
export {
  evaluateNextItem, type EvaluateNextItemOptions, type NextItemEvaluation,
} from './evaluation/next-track.js';
export {
  search, type SearchChoice, type SearchOptions, type SearchRange, type SearchResult,
  type SearchSettings, type SearchSpace, type SearchTrial, type TrialContext, type TrialMaker,
} from './evaluation/search.js';
export type { SegmentBy } from './evaluation/segments.js';
export { type ComparisonRow, holm, pairedTTest } from './evaluation/statistics.js';
export {
  type LearnerClass, loadLearner, type LoadLearnerOptions, loadRecommender, loadRecommenderAsync,
  type LoadRecommenderOptions,
} from './files/load.js';
export { Hybrid, type HybridOptions, WeightedSum } from './hybrid/hybrid.js';
export type { Fusion, WeightedSumOptions } from './hybrid/normalise.js';
export { fitHybrid, type FitHybridOptions, fuse, type FuseOptions } from './hybrid/fit-hybrid.js';
export {
  type Callback, CancelBackwardException, CancelBatchException, CancelEpochException,
  CancelFitException, CancelStepException, CancelTrainException, CancelValidException,
  type EventHandlers, type EventName, events, TrainEval,
} from './learner/callback.js';
export {
  GradientAccumulation, type GradientAccumulationOptions, GradientClip, type GradientClipOptions,
} from './learner/callbacks/gradients.js';
export { CSVLogger, type CSVLoggerOptions, ShowGraph } from './learner/callbacks/logging.js';
export {
  EarlyStopping, type PatienceOptions, ReduceLROnPlateau, type ReduceLROnPlateauOptions, SaveModel,
  type SaveModelOptions, Tracker, type TrackerOptions,
} from './learner/callbacks/trackers.js';
export {
  FetchPreds, ShortEpoch, type ShortEpochOptions, TerminateOnNaN,
} from './learner/callbacks/training.js';
export type { LoadOptions, RunPosition, SaveOptions, UnfinishedRun } from './learner/checkpoint.js';
export {
  Interpretation, type InterpretationOptions, type TopLossesOptions,
} from './learner/interpretation.js';
export { Learner, type LearnerOptions } from './learner/learner.js';
export type { LrFindOptions, LrFindResult } from './learner/lr-find.js';
export {
  AccumMetric, accuracy, accuracyThresh, AvgMetric, mae, type Metric, type MetricFunction,
  type MetricOptions, mse, type PassMetric, r2, rmse, rocAuc, topKAccuracy,
} from './learner/metrics.js';
export {
  biasSplitter, embeddingSplitter, type Hypers, type LearningRate, type OptClass, type OptFunc,
  Optimizer, type OptimizerState, type ParamGroup, type ParamState, type Slice, slice,
  type Splitter,
} from './learner/optimizers/optimizer.js';
export {
  Lookahead, type LookaheadOptions, ranger, type RangerOptions,
} from './learner/optimizers/lookahead.js';
export {
  Adam, type AdamOptions, Lamb, type LambOptions, Larc, type LarcOptions, QHAdam,
  type QHAdamOptions, RAdam, type RAdamOptions, RMSProp, type RMSPropOptions, SGD, type SGDOptions,
} from './learner/optimizers/steps.js';
export type { GetPredsOptions, Predictions } from './learner/predictions.js';
export { type LogRow, Recorder, type RecorderState } from './learner/recorder.js';
export {
  combinedCos, combineScheds, type FineTuneOptions, type FitFlatCosOptions,
  type FitOneCycleOptions, type FitOptions, type FitSgdrOptions, ParamScheduler, schedCos,
  schedExp, schedLin, schedPoly, type Schedule,
} from './learner/schedules.js';
export {
  TrainedLearner, trainModel, type TrainModelOptions,
} from './learner/train-model.js';

// losses and models
export { EmbeddingDotBias, type EmbeddingDotBiasOptions } from './models/embedding-dot-bias.js';
export {
  EmbeddingNN, type EmbeddingNNOptions, embSzRule, type EmbSzs, type TabularConfig,
} from './models/embedding-nn.js';
export type { NegativeLossOptions } from './models/output-layer.js';
export { LightGCN, type LightGCNOptions } from './models/light-gcn.js';
export { LSTMModel, type LSTMModelOptions } from './models/lstm.js';
export { ReLU, sigmoid, SigmoidRange } from './nn/activations.js';
export { BatchNorm1d, type BatchNorm1dOptions } from './nn/batch-norm.js';
export { checkGradients, type CheckGradientsOptions } from './nn/check-gradients.js';
export {
  CrossEntropyLossFlat, type CrossEntropyLossOptions, FocalLossFlat, type FocalLossOptions,
  LabelSmoothingCrossEntropyFlat,
} from './nn/cross-entropy.js';
export { Dropout } from './nn/dropout.js';
export { type Columns, Embedding, type EmbeddingOptions } from './nn/embedding.js';
export { Linear, type LinearOptions } from './nn/linear.js';
export {
  BCEWithLogitsLossFlat, type BCEWithLogitsLossOptions, BPRLoss, HingeLoss, L1LossFlat, type Loss,
  type LossRows, MSELossFlat, PairwiseLoss, type Reduction,
} from './nn/losses.js';
export type { Model, TrainingLoss } from './nn/model.js';
export { type Module, Sequential, type StateBuffer } from './nn/module.js';
export { Parameter } from './nn/parameter.js';
export { GRU, LSTM, PackedSequences, type RecurrentOptions } from './nn/recurrent.js';
export {
  Popularity, type PopularityMeasure, type PopularityOptions,
} from './recommend/baselines/popularity.js';
export { RandomRecommender, type RandomRecommenderOptions } from './recommend/baselines/random.js';
export {
  ContentRecommender, type ContentRecommenderOptions, type ContentSettings, type ContentState,
} from './recommend/content/content.js';
export {
  contentFeatures, type ContentFeatures, type ContentFeaturesOptions,
} from './recommend/content/features.js';
export type { Explanation } from './recommend/explanation.js';
export {
  type ExportOptions, type RecommenderData, type RecommenderDescription, type RecommenderKind,
  registerRecommenderKind,
} from './recommend/saved-form.js';

// recommend
export { ALS, type ALSOptions, type ALSSettings } from './recommend/factors/als.js';
export {
  type FactorArrays, FactorRecommender, type Factors, type FactorSettings, type FromFactorsOptions,
} from './recommend/factors/factors.js';
export {
  getRecommendationsPca, PcaRecommender, type PcaRecommenderOptions, type PcaScore,
} from './recommend/factors/pca.js';
export { FoldedUser, type HistoryItem, type HistoryOptions } from './recommend/fold-in.js';
export {
  type InteractionPairs, Interactions, type InteractionTotals,
} from './recommend/interactions.js';
export {
  CollabLearner, collabLearner, type CollabLearnerOptions, type CollabNNOptions,
} from './recommend/learners/collab.js';
export type { CollabFoldedUser, FoldInOptions } from './recommend/learners/collab-fold-in.js';
export { CollabNNLearner } from './recommend/learners/collab-nn.js';
export type { CollabModel } from './recommend/learners/recommending-learner.js';
export {
  LearnerRecommender, type LearnerRecommenderOptions,
} from './recommend/learners/learner-recommender.js';
export {
  LightGCNLearner, lightGCNLearner, type LightGCNLearnerOptions,
} from './recommend/learners/light-gcn.js';
export {
  EASE, type EASEOptions, type EASESettings, type EASEState, type SideRows,
} from './recommend/neighbours/ease.js';
export { ItemKNN, type KNNOptions, UserKNN, type Weighting } from './recommend/neighbours/knn.js';
export { RP3beta, type RP3betaOptions } from './recommend/neighbours/rp3beta.js';
export { RecommendationBatch, Recommendations } from './recommend/recommendations.js';
export {
  type Id, type Names, Recommender, type RecommendOptions, type SimilarTracksOptions,
  type TrackVectors,
} from './recommend/recommender.js';
export type { SimilarUsersOptions } from './recommend/similar.js';
export {
  LSTMLearner, lstmLearner, type LSTMLearnerOptions, LSTMRecommender, recommendSongs,
} from './sequential/lstm.js';
export {
  Markov, NextItemKNN, type NextItemKNNOptions, SequentialRules, type SequentialRulesOptions,
} from './sequential/markov-and-rules.js';
export {
  NextItemPopularity, type ScoreList, SequenceRecommender,
} from './sequential/sequence-recommender.js';
export {
  SessionKNN, type SessionKNNOptions, STAN, type STANOptions,
} from './sequential/session-knn.js';
