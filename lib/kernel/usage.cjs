// What `npm run … -- --help` prints. Plain Node: it is printed before anything is installed.

exports.start = `usage: npm start [-- NAME … OPTIONS]

Runs the notebooks, all or those named, in order; writes the executed copies, web pages, and index.html, which lists the pages. A notebook stops at the first
cell that fails, unless the cell has the tag raises-exception.

  NAME                a notebook, e.g. 1-collab; the beginning of its name will do
  --data DIR          folder with the data, for notebooks as the environment variable RECITAL_DATA; default: the folder data
                      beside that of the notebooks, or else that of the checkout
  --timeout SECONDS   how long a cell may be silent: it is stopped if it prints and shows nothing for so long; default 600
  --notebooks DIR     folder of the notebooks; default notebooks/
  --out DIR           folder for the results; default out/, or that of ~/recital where nothing can be written here. NAME.html and NAME.ipynb of an earlier run there are replaced; the page of a run that has failed
                      says so at its top
  --kernel deno       run the cells in Deno's kernel, which checks no types, in place of this project's own; needs Deno 2 on the PATH, or its file in
                      the environment variable DENO
  --in-place          write the executed copy over the notebook as well, unless it has failed
  --help              print this, and install nothing

exit code: 0 all cells ran, 1 a cell failed, 2 wrong usage (nothing was run), 130 stopped by Ctrl-C`;

exports.lab = `usage: npm run lab [-- NOTEBOOK OPTIONS]

Opens JupyterLab with the kernel of this checkout: the one of the environment variable JUPYTER, the one that an earlier call has installed into .venv, the
\`jupyter\` on the PATH, or that of python3; if there is none of version 4, one is installed into .venv (needs Python 3 and, once, the network). Nothing is left in the home folder.

  NOTEBOOK            a notebook to open; default: notebooks/0-start-here.ipynb, or the first one of notebooks/
  --workspace DIR     folder for notebooks, results and Jupyter's files, made at first use with copies of the notebooks; default: this checkout, or ~/recital
                      where nothing can be written into it, or the environment variable RECITAL_WORKSPACE
  --prepare           make the workspace ready and end
  --kernel DIR        write the kernel into another Jupyter and end: DIR is the folder of its Python environment, or ~/.local for VS Code and all Jupyters of
                      a user. The variables of the environment that begin with RECITAL_, and NODE_OPTIONS, go along
  OPTIONS             JupyterLab's own, e.g. --no-browser --port 8890; --help-all prints them
  --help              print this, and install nothing

exit code: JupyterLab's own; 1 if there is none and none can be installed`;

exports.data = `usage: npm run data -- WHAT [--out DIR] [--seed N] [--force]

Synthetic data with the file names and columns of Kaggle's "Million Song Dataset + Spotify + Last.fm":
  sample      4,000 users, 3,000 tracks heard of 4,000, 42,000 plays: what data/sample holds
  paper       10,000 users, 15,676 tracks heard of 50,683, 103,827 plays: the size of the paper's experiments
  full        962,037 users, 30,459 tracks heard of 50,683, 9,711,301 plays: the size of the whole dataset (600 MB)
Listening histories of the benchmarks, without track data:
  bench       10,000 users, 15,676 tracks, 649,484 plays
  bench-big   962,037 users, 30,459 tracks, 9,702,851 plays (602 MB)
Real data, fetched from their publisher (needs the network; a broken download goes on where it ended):
  hetrec      HetRec 2011 Last.fm-2K: 1,892 users, 17,632 artists, 92,834 play counts (2.6 MB; for non-commercial use)

  --out DIR   where to write; data/WHAT when left out
  --seed N    an integer; 1 when left out. The same seed gives the same bytes. Not for hetrec
  --force     replace files that are there
  --help      print this, and install nothing

exit code: 0 written, 1 it could not be fetched or written, 2 wrong usage (nothing was written)`;

exports.native = `usage: npm run native

Compiles the kernels for this machine's processor, with the C compiler that is there: cc, gcc or clang, or the one that the environment variable CC names.
They are used where setCompute({ native: true }) asks for them, or RECITAL_NATIVE=1 in the environment of any command.

  RECITAL_NATIVE=DIR  in the environment: builds into, and loads from, this folder in place of lib/native/build
  --help              print this, and install nothing

exit code: 0 built, 1 it could not be built, 2 wrong usage (nothing was built)`;

exports.tensorflow = `usage: npm run tensorflow

Installs @tensorflow/tfjs-node, TensorFlow's machine code for models of one's own (tensorflowModel): into .packages/tensorflow of the checkout, and nowhere else.
Where the package cannot download TensorFlow's library (about 100 MB), it is taken from Python's package of it (207 MB; Linux on x64, needs Python 3 with pip).
Unless a compiled addon can be downloaded, one is compiled: that needs make, a C++ compiler and Python 3.

  TFJS_NODE_BASE_URI=http://HOST/PATH/libtensorflow-
                      in the environment: where the library is, in place of TensorFlow's own server
  --help              print this, and install nothing

exit code: 0 installed, or there already; 1 it could not be installed, and nothing has changed; 2 wrong usage (nothing was installed)`;

exports.danfo = `usage: npm run danfo

Installs danfojs-node, tables in the manner of pandas (toDanfo, fromDanfo): into .packages/danfo of the checkout, and nowhere else; 480 MB. Where a package that it
asks for cannot be had everywhere, another one takes its place: plain TensorFlow.js that of @tensorflow/tfjs-node.

  --help              print this, and install nothing

exit code: 0 installed, or there already; 1 it could not be installed, and nothing has changed; 2 wrong usage (nothing was installed)`;
