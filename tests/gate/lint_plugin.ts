/// <reference lib="deno.unstable" />
/**
 * The house rules that a compiler cannot check, as a plugin of `deno lint`.
 *
 * @module
 */
import { relative } from "node:path";
import { importError, layerOf } from "./layers.ts";

const root = new URL("../../", import.meta.url).pathname;

/** A file's path from the repository's root; tests of this plugin pass such paths as they are. */
const pathOf = (context: Deno.lint.RuleContext): string =>
  context.filename.startsWith("/") ? relative(root, context.filename) : context.filename;

const layers: Deno.lint.Rule = {
  create(context) {
    const check = (node: { source: Deno.lint.Node | null }): void => {
      if (node.source?.type !== "Literal" || typeof node.source.value !== "string") return;
      const message = importError(pathOf(context), node.source.value);
      if (message) context.report({ node: node.source, message });
    };
    return {
      ImportDeclaration: check,
      ImportExpression: check,
      ExportAllDeclaration: check,
      ExportNamedDeclaration: check,
    };
  },
};

const noPlainError: Deno.lint.Rule = {
  create(context) {
    if (layerOf(pathOf(context)) === "tests") return {};
    const check = (node: Deno.lint.NewExpression | Deno.lint.CallExpression): void => {
      if (node.callee.type !== "Identifier" || node.callee.name !== "Error") return;
      const message = "Throw a TypeError, a RangeError or an error class of ours";
      context.report({ node, message });
    };
    return { NewExpression: check, CallExpression: check };
  },
};

const errorMessage: Deno.lint.Rule = {
  create(context) {
    return {
      NewExpression(node) {
        if (node.callee.type !== "Identifier" || !node.callee.name.endsWith("Error")) return;
        const [first, last] = endsOf(node.arguments[0]);
        if (first && /^[a-z]/.test(first)) {
          context.report({ node, message: "An error message starts with a capital" });
        }
        if (last?.endsWith(".") && !last.endsWith("...")) {
          context.report({ node, message: "An error message ends without a full stop" });
        }
      },
    };
  },
};

/** How a message begins and ends, where that is written out. */
function endsOf(message: Deno.lint.Node | undefined): readonly (string | undefined)[] {
  if (message?.type === "Literal" && typeof message.value === "string") {
    return [message.value, message.value];
  }
  if (message?.type !== "TemplateLiteral") return [];
  return [message.quasis[0]?.cooked, message.quasis.at(-1)?.cooked];
}

const noClass: Deno.lint.Rule = {
  create(context) {
    const check = (node: Deno.lint.ClassDeclaration | Deno.lint.ClassExpression): void => {
      const parent = node.superClass;
      if (parent?.type === "Identifier" && parent.name.endsWith("Error")) return;
      const outer = node.parent.type.startsWith("Export") ? node.parent : node;
      const comments = context.sourceCode.getCommentsBefore(outer);
      if (comments.some((comment) => /\bowns: \S/i.test(comment.value))) return;
      context.report({
        node,
        message: "A class is an error or owns a resource, said in a comment: // owns: the buffer",
      });
    };
    return { ClassDeclaration: check, ClassExpression: check };
  },
};

const noDefaultExport: Deno.lint.Rule = {
  create: (context) => ({
    ExportDefaultDeclaration: (node) => context.report({ node, message: "Export by name" }),
  }),
};

const noEnum: Deno.lint.Rule = {
  create: (context) => ({
    TSEnumDeclaration: (node) => context.report({ node, message: "Use a union of strings" }),
  }),
};

const plugin: Deno.lint.Plugin = {
  name: "motian",
  rules: {
    layers,
    "no-plain-error": noPlainError,
    "error-message": errorMessage,
    "no-class": noClass,
    "no-default-export": noDefaultExport,
    "no-enum": noEnum,
  },
};

// deno-lint-ignore motian/no-default-export -- deno lint takes a plugin only as a default export
export default plugin;
