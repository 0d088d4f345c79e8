/**
 * Whether subgroups can be relied on. Deno accepts the feature without listing it and refuses the directive that browsers
 * ask for, so the only way to know is to run a shader and to look at what it did.
 *
 * @module
 */
import type { Subgroups } from "./shader.ts";

/** Each lane of four workgroups broadcasts its successor's number, which only one full subgroup in order gets right. */
function probe(lanes: number, header: string): string {
  const sums = [...Array(lanes).keys()].map((l) => `subgroupBroadcast(lane * ${l + 1}u, ${l}u)`);
  return `${header}@group(0) @binding(0) var<storage, read_write> out: array<u32>;
@compute @workgroup_size(${lanes}) fn main(@builtin(workgroup_id) here: vec3u, @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_size) size: u32, @builtin(subgroup_invocation_id) own: u32) {
  let sum = ${sums.join(" + ")};
  out[here.x * ${lanes}u + lane] = select(0u, sum + lane, size == ${lanes}u && own == lane);
}`;
}

async function holds(gpu: GPUDevice, lanes: number, header: string): Promise<boolean> {
  const count = 4 * lanes,
    bytes = 4 * count,
    { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const made = gpu.createBuffer({ size: bytes, usage: STORAGE | COPY_SRC });
  const staging = gpu.createBuffer({ size: bytes, usage: COPY_DST | MAP_READ });
  gpu.pushErrorScope("validation");
  try {
    const module = gpu.createShaderModule({ code: probe(lanes, header) });
    const pipeline = gpu.createComputePipeline({ layout: "auto", compute: { module } });
    const group = gpu.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ binding: 0, resource: { buffer: made } }],
    });
    const encoder = gpu.createCommandEncoder(), pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(4);
    pass.end();
    encoder.copyBufferToBuffer(made, 0, staging, 0, bytes);
    const command = encoder.finish(), refused = await gpu.popErrorScope();
    if (refused) return false;
    gpu.queue.submit([command]);
    await staging.mapAsync(GPUMapMode.READ);
    const sum = [...Array(lanes).keys()].reduce((s, l) => s + l * (l + 1), 0);
    return new Uint32Array(staging.getMappedRange()).every((x, i) => x === sum + i % lanes);
  } finally {
    made.destroy();
    staging.destroy();
  }
}

/** The subgroups of a device of one known size, or undefined if the probe does not give what it must. */
export async function probeSubgroups(
  gpu: GPUDevice,
  info: GPUAdapterInfo,
): Promise<Subgroups | undefined> {
  const { subgroupMinSize: lanes, subgroupMaxSize: most } = info;
  if (lanes !== most || ![8, 16, 32].includes(lanes)) return undefined;
  for (const header of ["", "enable subgroups;\n"]) {
    if (await holds(gpu, lanes, header)) return { lanes, header };
  }
  return undefined;
}
