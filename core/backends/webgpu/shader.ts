/**
 * A shader, and the grid that it runs over: one number an invocation, or one a workgroup.
 *
 * @module
 */
import type { Halves } from "../../plan/plan.ts";
import { type Bindings, declarations } from "./bindings.ts";
import { withLibrary } from "./wgsl_expr.ts";

/** One dispatch: text, the numbers of what it binds, and the number of workgroups. */
export interface Shader {
  readonly code: string;
  readonly slots: readonly number[];
  readonly writes: readonly boolean[];
  readonly groups: readonly [x: number, y: number, z: number];
  /** How the work is cut, for people. */
  readonly style: string;
}

/** Subgroups as this device has them, proved by a probe. */
export interface Subgroups {
  /** Invocations in every subgroup; a workgroup of so many is one of them, in order. */
  readonly lanes: number;
  /** What a shader that uses them must begin with: browsers ask for a directive that naga refuses. */
  readonly header: string;
}

/** What a generator must know of the adapter. */
export interface Target {
  /** Runs on a CPU: barriers and workgroup memory are slow there, and few invocations are enough. */
  readonly software: boolean;
  /** Most storage buffers of one shader. */
  readonly bindings: number;
  /** Bytes of T x T scores from which attention is computed by its kernels. */
  readonly scoreBytes: number;
  /** Most bytes of a buffer that a shader binds, a multiple of 256; a larger tensor is touched in parts (split_kernel.ts). */
  readonly bindingBytes: number;
  /** Left out where a subgroup cannot be relied on. */
  readonly subgroups?: Subgroups;
  /** The types of which an element takes two bytes; none, if left out. f16 is among them only where a probe proved the device's. */
  readonly halves?: Halves;
  /** The device's f16 rounds as the host does. */
  readonly roundsF16?: boolean;
}

/** Iterations of all loops of an invocation after which Mesa's software adapter leaves them, without a word: 2^16 - 1. */
export const LONGEST_LOOP = 2 ** 15;

/** Most workgroups along one dimension of a dispatch. */
const maxGroups = 65535;

/** A shader over `units` invocations, `unit` being the number of each. */
export function overUnits(
  bound: Bindings,
  units: number,
  size: number,
  body: string,
  style: string,
): Shader {
  const text = `${declarations(bound)}
@compute @workgroup_size(${size}) fn main(@builtin(global_invocation_id) here: vec3u) {
  let unit = here.x + here.y * ${maxGroups * size}u;
  if (unit >= ${units}u) { return; }
  ${body}
}`;
  const { slots, writes } = bound;
  return { code: withLibrary(text), slots, writes, groups: spread(Math.ceil(units / size)), style };
}

/** A shader over workgroups that share memory, `group` being the number of each and `lane` that of the invocation in it. */
export function overGroups(
  bound: Bindings,
  groups: number,
  size: number,
  memory: string,
  body: string,
  style: string,
): Shader {
  const text = `${declarations(bound)}
${memory}
@compute @workgroup_size(${size}) fn main(@builtin(workgroup_id) here: vec3u, @builtin(local_invocation_index) lane: u32) {
  let group = here.x + here.y * ${maxGroups}u;
  if (group >= ${groups}u) { return; }
  ${body}
}`;
  const { slots, writes } = bound;
  return { code: withLibrary(text), slots, writes, groups: spread(groups), style };
}

/** Any number of workgroups as a grid within the limit of a dimension; the surplus returns at once. */
export function spread(groups: number): [number, number, number] {
  if (groups <= maxGroups) return [groups, 1, 1];
  return [maxGroups, Math.ceil(groups / maxGroups), 1];
}
