import { spawnSync } from 'node:child_process';

/**
 * The Python that has the libraries to compare with, and the versions of those asked for that it
 * has.
 */
export interface Peers {
  readonly python: string;
  readonly versions: Readonly<Record<string, string>>;
}

const PROBE = `
import importlib.metadata as m, json, sys
def version(name):
    try: return m.version(name).split('+')[0]
    except m.PackageNotFoundError: return None
print(json.dumps({name: version(name) for name in sys.argv[1:]}))`;

/**
 * Looks for packages in the Python that the environment variable PEER_PYTHON names, and says
 * plainly what is missing.
 * @param packages their names on PyPI
 * @returns what is there; undefined if nothing is, or there is no such Python
 */
export function findPeers(
  packages: readonly string[],
  { python = process.env.PEER_PYTHON }: { python?: string } = {},
): Peers | undefined {
  const install = `a Python with ${packages.join(', ')} (pip install ${packages.join(' ')})`;
  if (!python) {
    console.log(
      `PEER_PYTHON is not set, so nothing is measured beside ours. Set it to ${install}.`,
    );
    return undefined;
  }
  const probe = spawnSync(python, ['-c', PROBE, ...packages], { encoding: 'utf8' });
  if (probe.error || probe.status !== 0) {
    const why = probe.error?.message ?? probe.stderr.trim().split('\n').pop();
    console.log(
      `PEER_PYTHON (${python}) does not run: ${why}. Nothing is measured beside ours. Set it to ${install}.`,
    );
    return undefined;
  }
  const found = Object.entries(JSON.parse(probe.stdout) as Record<string, string | null>);
  const missing = found.filter(([, version]) => version === null).map(([name]) => name);
  if (missing.length)
    console.log(`PEER_PYTHON (${python}) lacks ${missing.join(', ')}: not measured.`);
  const versions = Object.fromEntries(
    found.filter((entry): entry is [string, string] => entry[1] !== null),
  );
  return Object.keys(versions).length ? { python, versions } : undefined;
}
