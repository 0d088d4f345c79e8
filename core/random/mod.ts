/** Random numbers from keys. */
export { bernoulli, categorical, permutation } from "./choice.ts";
export { foldIn, type Key, key, splitKey } from "./key.ts";
export { normal, truncatedNormal, type TruncatedNormalOptions } from "./normal.ts";
export { bits, randint, uniform, type UniformOptions } from "./uniform.ts";
