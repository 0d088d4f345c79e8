/**
 * `@std/path` over `node:path` and `node:url`: std's names and signatures.
 *
 * @module
 */
export {
  basename,
  delimiter as DELIMITER,
  dirname,
  extname,
  isAbsolute,
  join,
  normalize,
  relative,
  resolve,
  sep as SEPARATOR,
} from "node:path";
export { fileURLToPath as fromFileUrl, pathToFileURL as toFileUrl } from "node:url";
