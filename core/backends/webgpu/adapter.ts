/**
 * What is asked of an adapter.
 *
 * @module
 */

/** Limits that tensors and kernels meet: all that the adapter has is asked for. */
const limits = [
  "maxStorageBufferBindingSize",
  "maxBufferSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
] as const;

/** A device with all that can be had: Deno gives subgroups that the adapter does not list, so they are asked for in vain at worst. */
export async function deviceOf(adapter: GPUAdapter): Promise<GPUDevice> {
  const listed = (["shader-f16", "timestamp-query"] as const).filter((f) =>
    adapter.features.has(f)
  );
  const requiredLimits = Object.fromEntries(limits.map((l) => [l, adapter.limits[l]]));
  try {
    return await adapter.requestDevice({
      requiredFeatures: [...listed, "subgroups"],
      requiredLimits,
    });
  } catch {
    return await adapter.requestDevice({ requiredFeatures: listed, requiredLimits });
  }
}

/** A name for people; browsers hide some of it. */
export function nameOf(info: GPUAdapterInfo): string {
  return info.description ||
    [info.vendor, info.architecture, info.device].filter(Boolean).join(" ") ||
    "an unnamed adapter";
}
