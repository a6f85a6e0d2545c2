// Jupyter tells its kernels who started them (JPY_PARENT_PID). A kernel whose parent has died would
// stay for ever.

const INTERVAL_MS = 1000;

/**
 * Calls back when the process that started this one has died, which may have been before this one
 * could look.
 */
function whenOrphaned(callback) {
  const parent = Number(process.env.JPY_PARENT_PID);
  if (!parent) return;
  const own = process.ppid === parent; // else something stands between the two, or the parent has died already
  const alive = () => {
    try {
      return process.kill(parent, 0); // asks without a signal
    } catch (error) {
      return error.code === 'EPERM';
    }
  };
  setInterval(() => (own ? process.ppid === parent : alive()) || callback(), INTERVAL_MS).unref();
}

module.exports = { whenOrphaned };
