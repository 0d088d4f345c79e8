/**
 * The TypeScript compiler in-process, over files in memory beside this folder. The version is the one that
 * `deno check` carries, so that counts and texts are the users' own.
 */
import ts from "npm:typescript@6.0.3";

const folder = decodeURIComponent(new URL(".", import.meta.url).pathname);
const options: ts.CompilerOptions = {
  noEmit: true,
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  target: ts.ScriptTarget.ESNext,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  allowImportingTsExtensions: true,
  noErrorTruncation: true,
  skipLibCheck: true,
  types: [],
  lib: ["lib.esnext.d.ts"],
};

export interface Diagnostic {
  /** Counted from 1. */
  readonly line: number;
  /** The first line of the compiler's message. */
  readonly text: string;
}

export interface Checked {
  readonly diagnostics: readonly Diagnostic[];
  readonly instantiations: number;
  readonly types: number;
  readonly ms: number;
  /** How the compiler prints the type of an exported alias or constant. */
  typeOf(name: string): string;
}

// Parsed once for all programs: parsing the library costs more than checking a test.
const parsed = new Map<string, ts.SourceFile | undefined>();

/** Checks one program, which may import the files of this folder. */
export function check(source: string, name = "program.ts"): Checked {
  const file = folder + name;
  const host = ts.createCompilerHost(options, true);
  const fromDisk = host.getSourceFile.bind(host);
  host.fileExists = (path) => path === file || ts.sys.fileExists(path);
  host.getSourceFile = (path, language) => {
    if (path === file) return ts.createSourceFile(path, source, language, true);
    if (!parsed.has(path)) parsed.set(path, fromDisk(path, language));
    return parsed.get(path);
  };
  const program = ts.createProgram([file], options, host);
  const tree = program.getSourceFile(file)!;
  const start = performance.now();
  const found = [...program.getSyntacticDiagnostics(tree), ...program.getSemanticDiagnostics(tree)];
  const ms = performance.now() - start;
  return {
    diagnostics: found.map((d) => ({
      line: ts.getLineAndCharacterOfPosition(tree, d.start ?? 0).line + 1,
      text: ts.flattenDiagnosticMessageText(d.messageText, "\n").split("\n")[0]!,
    })),
    instantiations: program.getInstantiationCount(),
    types: program.getTypeCount(),
    ms,
    typeOf(name) {
      const checker = program.getTypeChecker();
      const symbol = checker.getSymbolAtLocation(tree)?.exports?.get(ts.escapeLeadingUnderscores(name));
      if (!symbol) throw new TypeError(`Cannot find the export ${name}: it is not in the program`);
      const type = symbol.flags & ts.SymbolFlags.TypeAlias
        ? checker.getDeclaredTypeOfSymbol(symbol)
        : checker.getTypeOfSymbol(symbol);
      const flags = ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.InTypeAlias;
      return checker.typeToString(type, undefined, flags);
    },
  };
}

/** Our text in a compiler's message: the literal type that the parameter turned into. */
export function ourText(message: string): string | undefined {
  return /to parameter of type '"(.*)"'\.$/.exec(message)?.[1];
}
