import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Prepares a home for Jupyter within the checkout, so that nothing is written to the user's: settings, trust, runtime files, and the kernel.
 * The kernelspec is written at each start, because the checkout or Node may have moved.
 * @param root the checkout
 * @returns the environment for Jupyter
 */
export function jupyterHome(root: string): Record<string, string> {
  const home = join(root, '.cache', 'jupyter');
  const data = join(home, 'data');
  const config = join(home, 'config');
  const kernel = {
    argv: [process.execPath, join(root, 'lib', 'notebook', 'launch.cjs'), '{connection_file}'],
    display_name: 'TypeScript',
    language: 'typescript',
    interrupt_mode: 'signal',
  };
  write(join(data, 'kernels', 'tslab', 'kernel.json'), kernel); // the name that the notebooks ask for
  const settings = join(config, 'lab', 'user-settings', '@jupyterlab');
  writeOnce(join(settings, 'completer-extension', 'manager.jupyterlab-settings'), { autoCompletion: true });
  writeOnce(join(settings, 'apputils-extension', 'notification.jupyterlab-settings'), { fetchNews: 'false', checkForUpdates: false });
  return { JUPYTER_CONFIG_DIR: config, JUPYTER_DATA_DIR: data, JUPYTER_RUNTIME_DIR: join(home, 'runtime'), IPYTHONDIR: join(home, 'ipython') };
}

function write(file: string, content: object): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(content, null, 1)}\n`);
}

/** A setting is a proposal: what the user has changed since stays. */
function writeOnce(file: string, content: object): void {
  if (!existsSync(file)) write(file, content);
}
