// tslab checks and compiles all the sources that a cell imports, directly or not, and drops what comes of those in packages: seconds for each cell with an
// import from this library. In the folder of a checkout it stumbles over them, as its compiler is older than the library's. Here only the files in the
// notebook's folder are left to it.
const path = require('node:path');

/** Changes the compiler's host in place: the programs that it makes name, among the dependencies of a file, only the reader's own. */
function ownFilesOnly(host) {
  const folder = host.getCurrentDirectory();
  let created; // tslab's listener, which it sets later
  Object.defineProperty(host, 'afterProgramCreate', {
    set: (listener) => {
      created = listener;
    },
    get: () => (builder) => {
      const { getAllDependencies } = builder;
      const program = builder.getProgram();
      const own = (name) => {
        const from = path.relative(folder, name);
        if (from.startsWith('..') || path.isAbsolute(from)) return false;
        return !program.isSourceFileFromExternalLibrary(program.getSourceFile(name));
      };
      builder.getAllDependencies = (file) => getAllDependencies(file).filter(own);
      created(builder);
    },
  });
  return host;
}

module.exports = { ownFilesOnly };
