// tslab keeps one timer for the TypeScript compiler: the one that recompiles, which it fires itself
// before each cell. But the compiler sets a second one when files appear where it has looked in
// vain for an import. tslab then throws "Unexpected pending rebuildTimer", and no cell works any
// more. Here the second kind gets timers of its own.

/** Changes tslab's system in place; before the compiler's host is made of it. */
function separateTimers(system) {
  const { setTimeout: setRebuild, clearTimeout: clearRebuild } = system;
  const others = new Set();
  system.setTimeout = (callback, delay, ...args) => {
    if (callback.name === 'updateProgramWithWatchStatus') return setRebuild(callback);
    const timer = setTimeout(() => {
      others.delete(timer);
      callback(...args);
    }, delay);
    timer.unref();
    others.add(timer);
    return timer;
  };
  system.clearTimeout = (timer) => {
    if (others.delete(timer)) clearTimeout(timer);
    else clearRebuild(timer);
  };
  return system;
}

module.exports = { separateTimers };
