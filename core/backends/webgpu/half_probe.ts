/**
 * Whether f16 can be relied on. A driver may list the feature and flush subnormals, round towards zero, or overflow in its
 * own way, all of which WGSL allows; so a shader converts numbers of every kind, and the host looks at the bits.
 *
 * @module
 */
import { type DType, fromF16, toF16 } from "../../dtype.ts";
import type { Target } from "./shader.ts";

/** What the f16 of a device does: any number becomes the f16 that it becomes on the host; else only those that are one already. */
type F16 = "rounds" | "keeps";

const code = `enable f16;
@group(0) @binding(0) var<storage, read> given: array<f32>;
@group(0) @binding(1) var<storage, read_write> narrow: array<f16>;
@group(0) @binding(2) var<storage, read_write> wide: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) here: vec3u) {
  let at = here.x;
  if (at >= arrayLength(&given)) { return; }
  narrow[at] = f16(given[at]);
  wide[at] = f32(f16(given[at]));
}`;

/** An even number of f32: of every exponent of f16 some numbers that it has, subnormals and infinities too. */
function halfNumbers(): number[] {
  const fractions = [0, 1, 2, 3, 0x155, 0x200, 0x2aa, 0x3fe, 0x3ff];
  const sizes = Array.from({ length: 31 }, (_, e) => fractions.map((f) => fromF16(e << 10 | f)));
  return [...sizes.flat(), Infinity].flatMap((x) => [x, -x]);
}

/** Numbers between those: in the middle, just below and just above; and those that overflow or vanish. */
function between(): number[] {
  const word = new Float32Array(1), bits = new Uint32Array(word.buffer);
  const beside = (x: number, steps: number): number => {
    word[0] = x;
    bits[0]! += steps;
    return word[0]!;
  };
  const middles = halfNumbers().filter((x) => x > 0 && x < 65504).map((x) =>
    (x + fromF16(toF16(x) + 1)) / 2
  );
  const others = [NaN, 65519.99, 65520, 65536, 1e10, 3e38, 2 ** -25, 2 ** -26, 1e-38, 1.000001];
  return [...middles, 65520, 2 ** -25].flatMap((x) => [-1, 0, 1].map((s) => beside(x, s)))
    .concat(others.map(Math.fround)).flatMap((x) => [x, -x]);
}

/** The f16 of a device, or undefined if it lacks the feature or does not keep what f16 holds exactly. */
async function probeF16(gpu: GPUDevice): Promise<F16 | undefined> {
  if (!gpu.features.has("shader-f16")) return undefined;
  const exact = halfNumbers(), given = Float32Array.from([...exact, ...between()]);
  const found = await convert(gpu, given);
  if (!found) return undefined;
  const { narrow, wide } = found;
  const isRight = (x: number, i: number): boolean => {
    const want = toF16(x), value = fromF16(want);
    return Object.is(wide[i], value) &&
      (Number.isNaN(x) ? isNaN16(narrow[i]!) : narrow[i] === want);
  };
  const right = Array.from(given, isRight);
  if (!right.slice(0, exact.length).every(Boolean)) return undefined;
  return right.every(Boolean) ? "rounds" : "keeps";
}

/** The types of which an element takes two bytes on a device. bf16 needs nothing of it. */
export async function halvesOf(
  gpu: GPUDevice,
): Promise<Required<Pick<Target, "halves" | "roundsF16">>> {
  const f16 = await probeF16(gpu), halves = new Set<DType>(f16 ? ["bf16", "f16"] : ["bf16"]);
  return { halves, roundsF16: f16 === "rounds" };
}

const isNaN16 = (bits: number): boolean => Number.isNaN(fromF16(bits));

async function convert(
  gpu: GPUDevice,
  given: Float32Array<ArrayBuffer>,
): Promise<{ readonly narrow: Uint16Array; readonly wide: Float32Array } | undefined> {
  const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage, bytes = given.byteLength;
  const sizes = [bytes, bytes / 2, bytes];
  const buffers = sizes.map((size) =>
    gpu.createBuffer({ size, usage: STORAGE | COPY_SRC | COPY_DST })
  );
  const staging = gpu.createBuffer({ size: bytes * 1.5, usage: COPY_DST | MAP_READ });
  gpu.pushErrorScope("validation");
  try {
    gpu.queue.writeBuffer(buffers[0]!, 0, given);
    const module = gpu.createShaderModule({ code });
    const pipeline = gpu.createComputePipeline({ layout: "auto", compute: { module } });
    const group = gpu.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
    const encoder = gpu.createCommandEncoder(), pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(Math.ceil(given.length / 64));
    pass.end();
    encoder.copyBufferToBuffer(buffers[2]!, 0, staging, 0, bytes);
    encoder.copyBufferToBuffer(buffers[1]!, 0, staging, bytes, bytes / 2);
    const command = encoder.finish(), refused = await gpu.popErrorScope();
    if (refused) return undefined;
    gpu.queue.submit([command]);
    await staging.mapAsync(GPUMapMode.READ);
    const all = staging.getMappedRange().slice(0);
    return { wide: new Float32Array(all, 0, given.length), narrow: new Uint16Array(all, bytes) };
  } finally {
    [...buffers, staging].forEach((b) => b.destroy());
  }
}
