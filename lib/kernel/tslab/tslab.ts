// tslab 1.0.22 as far as this kernel uses it. What tslab keeps private, and what its fork of
// TypeScript does not declare, is declared here, each with its place.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type ts from '@tslab/typescript-for-tslab';
import type { CompletionInfo, ConvertResult } from 'tslab/dist/converter';
import type { ConsoleInterface, ConverterSet, Executor } from 'tslab/dist/executor';
import type { CodeMetadata } from 'tslab/dist/metadata';
import type { Connection, Content, Frame } from '../protocol.js';

export type { CompletionInfo, ConverterSet, ConvertResult, Executor, ts };

/** `require` from tslab's own files. */
export const tslabRequire = createRequire(
  join(dirname(require.resolve('tslab/package.json')), 'dist', 'main.js'),
);

/** tslab's own copy of TypeScript 5.0.4, which is a fork; nothing else in the process uses it. */
export const TYPESCRIPT = '@tslab/typescript-for-tslab';

/** Loads that copy, or gets it: a kernel has loaded it at its start. */
export const compiler = (): Compiler => tslabRequire(TYPESCRIPT) as Compiler;

/** TypeScript with its internal functions; lib/typescript.js, `@internal` there. */
export type Compiler = typeof ts & {
  getTokenAtPosition(file: ts.SourceFile, position: number): ts.Node;
  getTouchingPropertyName(file: ts.SourceFile, position: number): ts.Node;
  findPrecedingToken(position: number, file: ts.SourceFile): ts.Node | undefined;
  isAssignmentOperator(kind: ts.SyntaxKind): boolean;
  /** Fills in `locals`. */
  bindSourceFile(file: ts.SourceFile, options: ts.CompilerOptions): void;
  getContainingObjectLiteralElement(
    node: ts.Node,
  ): (ts.ObjectLiteralElement & { parent: ts.ObjectLiteralExpression }) | undefined;
  getPropertySymbolsFromContextualType(
    element: ts.ObjectLiteralElement,
    checker: ts.TypeChecker,
    type: ts.Type,
    unionSymbolOk: boolean,
  ): readonly ts.Symbol[];
  /** Added by the fork. */
  getPreEmitDiagnosticsOfFiles(
    program: ts.Program,
    files: readonly ts.SourceFile[],
  ): readonly ts.Diagnostic[];
  /** Asked for the classes of the compiler's objects, anew for each program. */
  objectAllocator: {
    getTypeConstructor(): new (checker: ts.TypeChecker, flags: ts.TypeFlags) => ts.Type;
    getSourceFileConstructor(): { prototype: ts.SourceFile };
  };
};

/** A checker with its internal methods. */
export type Checker = ts.TypeChecker & {
  resolveName(
    name: string,
    location: ts.Node,
    meaning: ts.SymbolFlags,
    excludeGlobals: boolean,
  ): ts.Symbol | undefined;
  isUnknownSymbol(symbol: ts.Symbol): boolean;
};

/** A source file with its internal fields. */
export type SourceFile = ts.SourceFile & {
  parseDiagnostics: readonly ts.DiagnosticWithLocation[];
  /** By name: what it declares outside of functions and blocks. */
  locals?: { has(name: string): boolean };
  resolvedModules?: {
    forEach(
      each: (found: { resolvedModule?: unknown; isInvalidated?: boolean } | undefined) => void,
    ): void;
  };
  /** tslab makes the declarations of earlier cells the parent of a cell (converter.js, inspect). */
  parent?: ts.SourceFile;
};

/** The symbol of what a symbol belongs to. */
export const parentOf = (symbol: ts.Symbol): ts.Symbol | undefined =>
  (symbol as ts.Symbol & { parent?: ts.Symbol }).parent;

/** What tslab puts above each cell (converter.js, `srcPrefix`). */
export const PREFIX = 'export {};\n';
/** What it puts around the compiled code (executor.js, `execute`). */
export const WRAPPERS = ['(function(exports, require) { ', '(async function(exports, require) { '];
/** What it puts below a cell that declares something (converter.js, `convert`). */
export const SUFFIX = /\nexport \{[^\n]*\}$/;
/** The first statement of a compiled cell: `exports.a = exports.b = void 0;`. */
export const DECLARED = /^exports\.[\w$]+ = (?:exports\.[\w$]+ = )*void 0;$/mu;
/** The file of a cell, and the one with the declarations of all cells that have run. */
export const isCell = (fileName: string): boolean => /__tslab__\.[jt]s$/.test(fileName);
export const ofEarlierCells = (fileName: string): boolean =>
  /(^|[\\/])__prev__\.d\.ts$/.test(fileName);
/**
 * The function whose timer tslab fires itself (TypeScript's watch; converter.js, `rebuildTimer`).
 */
export const REBUILDS = 'updateProgramWithWatchStatus';
/** How tslab prints a diagnostic: file, line, column, text (executor.js, `printDiagnostics`). */
export const DIAGNOSTIC = '%s%d:%d - %s';
export type Diagnostic = ConvertResult['diagnostics'][number];

/** One output: MIME types, with how to show them, and the id under which it can be replaced. */
export interface DisplayContent {
  data?: Content;
  metadata?: Content;
  transient?: { display_id?: string };
}
/** Sends an output. `result`, which tslab does not have: it is what the cell ends with. */
export type WriteDisplay = (content: DisplayContent, update?: boolean, result?: boolean) => void;

/** The module jupyter.js. */
export interface JupyterModule {
  /** Where `tslab.display` writes. */
  lastWriteDisplayData: WriteDisplay | null;
  ZmqServer: { prototype: ZmqServer };
}

/** What this kernel uses of a ZeroMQ socket. */
export interface Socket {
  send(frames: readonly Frame[]): Promise<void> | void;
  close(): void;
}
/** A socket of zeromq.js itself. */
export interface RawSocket extends Socket {
  sendTimeout: number;
  sendHighWaterMark: number;
  bind(address: string): Promise<void>;
}

/** jupyter.js: the class that has the channels. */
export interface ZmqServer {
  connInfo: Connection;
  handler: { executor: Executor; handleKernel(): Content & { language_info: Content } };
  iopub: Socket;
  shell: Socket;
  control: Socket;
  hb: Socket;
  bindSocket(socket: RawSocket, port: number): Promise<void>;
  handleShellMessage(socket: Socket, ...frames: Buffer[]): Promise<void>;
  close(): void;
}

/** The modules of tslab that the kernel changes or calls. */
export const modules = {
  executor: (): {
    createExecutor(folder: string, converters: ConverterSet, console: ConsoleInterface): Executor;
  } => tslabRequire('./executor.js'),
  jupyter: (): JupyterModule => tslabRequire('./jupyter.js'),
  metadata: (): { getCodeMetadata(source: string): CodeMetadata } => tslabRequire('./metadata.js'),
  main: (): { startKernel(options: { configPath: string; enableFindLocal: boolean }): void } =>
    tslabRequire('./main.js'),
  version: (): string => (tslabRequire('../package.json') as { version: string }).version,
};

/** What tslab gives the code of cells (executor.js, `createExecutor`). */
export const cellGlobals = (): { require: NodeJS.Require } =>
  (globalThis as unknown as { __tslab__: { require: NodeJS.Require } }).__tslab__;
