/** The core: tensors, ops, transforms, devices. */
export * from "./ops/mod.ts";
export * from "./random/mod.ts";
export {
  arange,
  eye,
  fromArray,
  full,
  type Nested,
  ones,
  type ShapeOf,
  tensor,
  zeros,
} from "./create.ts";
export { dispose, read, readNumber, type Scope, scope, toDevice } from "./read.ts";
export {
  type AnyTensor,
  type DTypesOf,
  type ShapesOf,
  type shapeTag,
  sizesOf,
  type Tensor,
} from "./tensor.ts";
export type * from "./shape/mod.ts";
export { leaves, mapTree, paths, type Tree, zipTrees } from "./tree.ts";
export type { DType, Float, HostArray, HostArrays, Int, Numeric } from "./dtype.ts";
export type {
  Device,
  DeviceKind,
  Explanation,
  Graph,
  KernelTime,
  PlanFigures,
  Program,
  ProgramFigures,
  Storage,
} from "./device/device.ts";
export type { PlannedProgram, Planner } from "./device/planner.ts";
export { grad, type ValueAndGrad, valueAndGrad, valueGradAux, vjp } from "./transform/grad.ts";
export { jvp } from "./transform/jvp.ts";
export {
  type AnyOf,
  type BatchAxis,
  type BatchOf,
  vmap,
  type VmapOptions,
} from "./transform/vmap.ts";
export { checkpoint } from "./transform/checkpoint.ts";
export { type CustomVjp, customVjp } from "./transform/custom_vjp.ts";
export { jit, type JitOptions, type Jitted, type Planned, type Profiled } from "./transform/jit.ts";
export { openDevice, type OpenOptions } from "./device/open.ts";
export { DeviceError, type DeviceFailure } from "./device/error.ts";
export { cpu, type CpuOptions, defaultCpu, type MemorySize } from "./backends/cpu/mod.ts";
export { reference } from "./backends/reference/mod.ts";
export { type TuneOptions, webgpu, type WebGpuOptions } from "./backends/webgpu/mod.ts";
export { readSafetensors, type SafetensorsFile, writeSafetensors } from "./io/safetensors.ts";
export { SafetensorsError } from "./io/safetensors_error.ts";
export type { SafetensorsEntry } from "./io/safetensors_header.ts";
