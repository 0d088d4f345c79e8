/**
 * The TypeScript compiler in-process, over programs in memory that stand beside this file and may import its
 * neighbours. The version is the one that `deno check` carries, so that counts and texts are the users' own.
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
  /** How often the compiler instantiated a type: the cost of a program, the same on every machine. */
  readonly instantiations: number;
  /** What an exported type alias stands for: literals as themselves, tuples as arrays, `number` as "?". */
  valueOf(alias: string): unknown;
}

// Parsed once for all programs: parsing the library costs more than checking a test.
const parsed = new Map<string, ts.SourceFile | undefined>();

/** A program of several files. `diagnose` checks one of them, on the caches that earlier ones filled. */
function programOf(sources: ReadonlyMap<string, string>): ts.Program {
  const host = ts.createCompilerHost(options, true);
  const fromDisk = host.getSourceFile.bind(host);
  host.fileExists = (path) => sources.has(path) || ts.sys.fileExists(path);
  host.getSourceFile = (path, language) => {
    const source = sources.get(path);
    if (source !== undefined) return ts.createSourceFile(path, source, language, true);
    if (!parsed.has(path)) parsed.set(path, fromDisk(path, language));
    return parsed.get(path);
  };
  return ts.createProgram([...sources.keys()], options, host);
}

function diagnose(program: ts.Program, tree: ts.SourceFile): Diagnostic[] {
  const found = [...program.getSyntacticDiagnostics(tree), ...program.getSemanticDiagnostics(tree)];
  return found.map((d) => ({
    line: ts.getLineAndCharacterOfPosition(tree, d.start ?? 0).line + 1,
    text: ts.flattenDiagnosticMessageText(d.messageText, "\n").split("\n")[0]!,
  }));
}

/** Checks one program. Its imports are taken as declared: their bodies are not checked, nor counted. */
export function check(source: string): Checked {
  const path = folder + "program.ts", program = programOf(new Map([[path, source]]));
  const tree = program.getSourceFile(path)!;
  const diagnostics = diagnose(program, tree);
  return {
    diagnostics,
    instantiations: program.getInstantiationCount(),
    valueOf(alias) {
      const checker = program.getTypeChecker();
      const symbol = checker.getSymbolAtLocation(tree)?.exports?.get(alias as ts.__String);
      if (!symbol) {
        throw new TypeError(`Cannot find the alias ${alias}: the program must export it`);
      }
      return valueOf(checker, checker.getDeclaredTypeOfSymbol(symbol));
    },
  };
}

function valueOf(checker: ts.TypeChecker, type: ts.Type): unknown {
  if (type.isLiteral()) return type.value;
  if (checker.isTupleType(type)) {
    return checker.getTypeArguments(type as ts.TypeReference).map((t) => valueOf(checker, t));
  }
  return type.flags & ts.TypeFlags.Number ? "?" : checker.typeToString(type);
}

/** Whether each of many programs has an error; one compiler checks them all. */
export function rejections(sources: readonly string[]): boolean[] {
  const files = new Map(sources.map((source, i) => [`${folder}program_${i}.ts`, source]));
  const program = programOf(files);
  return [...files.keys()].map((path) =>
    diagnose(program, program.getSourceFile(path)!).length > 0
  );
}

/** The program as plain script that asks `require` for its imports. */
export function toScript(source: string): string {
  const module = ts.ModuleKind.CommonJS;
  return ts.transpileModule(source, { compilerOptions: { target: options.target!, module } })
    .outputText;
}

/** An argument of a call: where it stands, and what is written there. */
export interface Written {
  readonly call: string;
  /** Which argument of the call it is, or is inside. */
  readonly argument: number;
  readonly kind: "number" | "string";
  readonly at: number;
  readonly text: string;
}

/** All literals within the arguments of calls; a sign belongs to its number. */
export function literalsOf(source: string): Written[] {
  const tree = ts.createSourceFile("program.ts", source, options.target!, true);
  const found: Written[] = [];
  const visit = (node: ts.Node, call: string, argument: number): void => {
    const signed = ts.isPrefixUnaryExpression(node) && ts.isNumericLiteral(node.operand);
    const kind = signed || ts.isNumericLiteral(node) ? "number" : "string";
    if (kind === "number" || ts.isStringLiteral(node)) {
      if (call) {
        found.push({ call, argument, kind, at: node.getStart(tree), text: node.getText(tree) });
      }
    } else if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
      const name = node.expression.text;
      node.arguments.forEach((child, i) => visit(child, name, i));
    } else ts.forEachChild(node, (child) => visit(child, call, argument));
  };
  visit(tree, "", 0);
  return found;
}

/** Our text in a compiler's message: the literal type that the parameter turned into. */
export function ourText(message: string): string | undefined {
  return /to parameter of type '"(.*)"'\.$/.exec(message)?.[1];
}
