import { nativeBuilt } from 'recital-native';
import type { Build } from '../../../lib/recital/compute/kernels.js';
import { setCompute } from '../../../lib/recital/compute/threads.js';
import type { Runs } from './contenders.js';

const OURS = 'recital';

/** A way to run our kernels. */
export interface Variant {
  /** `recital t1`, `recital t2 fast`, `recital t2 native` … */
  readonly name: string;
  readonly threads: number;
  readonly build: Build;
}

/**
 * One thread and all of them, reproducible and, if wished for, fast; native, if it is built
 * (`npm run native`).
 */
export function ourVariants(options: { fast: boolean; all?: number; native?: boolean }): Variant[] {
  const { fast, all = setCompute().threads, native = nativeBuilt() } = options;
  const builds: Build[] = [
    'reproducible',
    ...(fast ? (['fast'] as const) : []),
    ...(native ? (['native'] as const) : []),
  ];
  return [...new Set([1, all])].flatMap((threads) =>
    builds.map((build) => ({
      name: `${OURS} t${threads}${build === 'reproducible' ? '' : ` ${build}`}`,
      threads,
      build,
    })),
  );
}

/** What distinguishes a variant: ` t1`, ` t2 fast` … */
export function variantOf(name: string): string {
  return name.slice(OURS.length);
}

/**
 * Each of our variants, with whom to compare it: the reproducible build, the default, and the
 * native one with each peer; the fast one with nobody.
 */
export function againstPeers(measured: readonly Runs[]): [ours: Runs, peer: Runs | undefined][] {
  const isOurs = ({ name }: Runs): boolean => name.startsWith(`${OURS} `);
  const peers = measured.filter((m) => !isOurs(m));
  return measured
    .filter(isOurs)
    .flatMap((m) =>
      (peers.length && !m.name.endsWith(' fast') ? peers : [undefined]).map(
        (p): [Runs, Runs | undefined] => [m, p],
      ),
    );
}
