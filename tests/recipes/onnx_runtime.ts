/**
 * ONNX Runtime, native and in WebAssembly, under one name.
 *
 * @module
 */
import type { InferenceSession, Tensor } from "npm:onnxruntime-common@1.24.3";
import { encode } from "../../recipes/onnx/encode.ts";
import type { OnnxModel } from "../../recipes/onnx/model.ts";

/** Numbers for an input or of an output. */
export interface Numbers {
  readonly dims: readonly number[];
  readonly data: Float32Array | Int32Array | Uint8Array | BigInt64Array;
}

type Feeds = Readonly<Record<string, Numbers>>;

/** A model, loaded. */
export interface Loaded {
  readonly run: (feeds: Feeds) => Promise<Feeds>;
  readonly close: () => Promise<void>;
}

/** A runtime. */
export interface Runtime {
  readonly name: string;
  readonly load: (model: Uint8Array) => Promise<Loaded>;
}

interface Library {
  readonly InferenceSession: typeof InferenceSession;
  readonly Tensor: typeof Tensor;
}

function runtime(name: string, { InferenceSession, Tensor }: Library): Runtime {
  const typeOf = ({ data }: Numbers): Tensor.Type =>
    data instanceof Float32Array
      ? "float32"
      : data instanceof Int32Array
      ? "int32"
      : data instanceof BigInt64Array
      ? "int64"
      : "bool";
  const load = async (model: Uint8Array): Promise<Loaded> => {
    const session = await InferenceSession.create(model, { logSeverityLevel: 3 });
    return {
      async run(feeds) {
        const tensors = Object.entries(feeds).map(([key, x]) =>
          [key, new Tensor(typeOf(x), x.data, x.dims)] as const
        );
        const found = await session.run(Object.fromEntries(tensors));
        return Object.fromEntries(
          Object.entries(found).map(([key, { dims, data }]) => [key, { dims, data } as Numbers]),
        );
      },
      close: () => session.release(),
    };
  };
  return { name, load };
}

async function native(): Promise<Runtime | string> {
  try {
    return runtime("onnxruntime-node", await import("npm:onnxruntime-node@1.24.3"));
  } catch (error) {
    return (error as Error).message.split("\n")[0]!;
  }
}

async function web(): Promise<Runtime> {
  const library = await import("npm:onnxruntime-web@1.24.3");
  library.env.wasm.numThreads = 1;
  return runtime("onnxruntime-web", library);
}

/** The runtimes; of the native one, why there is none where its library cannot be loaded. */
export const runtimes = { native: await native(), web: await web() };

/** A model's bytes. */
export function fileOf(model: OnnxModel): Uint8Array {
  const { size, parts } = encode(model), file = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}
