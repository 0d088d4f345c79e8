/**
 * What this machine has, and which of it a run takes by itself.
 *
 * @module
 */
import type { Device } from "../../core/device/device.ts";
import { DeviceError } from "../../core/device/error.ts";
import { openDevice } from "../../core/device/open.ts";
import { machineMemory } from "../pretrain/fit.ts";

/** A machine. */
export interface MachineFacts {
  readonly deno: string;
  /** Processor and system, as in "x86_64-unknown-linux-gnu". */
  readonly target: string;
  readonly cores: number;
  /** Bytes; null where asking is not allowed. */
  readonly memory: number | null;
  /** Devices in words. */
  readonly cpu: string;
  readonly webgpu: string;
  /** What `--device auto` is, and why. */
  readonly auto: Device["kind"];
  readonly why: string;
}

/** How devices are opened. */
type Open = (kind: "auto" | "cpu" | "webgpu") => Promise<Pick<Device, "kind" | "description">>;

/** Opens what there is and looks at it. */
export async function machineFacts(open: Open = openDevice): Promise<MachineFacts> {
  const auto = await open("auto");
  const gpu = await open("webgpu").catch((error: unknown) => {
    if (error instanceof DeviceError && error.failure === "absent") return undefined;
    throw error;
  });
  const why = auto.kind === "webgpu"
    ? "a real GPU is faster than this machine's cores"
    : gpu
    ? "the only adapter is software, which is slower than the cores themselves"
    : "there is no adapter for WebGPU";
  return {
    deno: Deno.version.deno,
    target: Deno.build.target,
    cores: navigator.hardwareConcurrency,
    memory: machineMemory() ?? null,
    cpu: (await open("cpu")).description,
    webgpu: gpu?.description ?? "no adapter",
    ...{ auto: auto.kind, why },
  };
}

/** The same for people. */
export function factLines(facts: MachineFacts): readonly string[] {
  const { deno, target, cores, memory, cpu, webgpu, auto, why } = facts;
  const room = memory === null ? [] : [`${(memory / 2 ** 30).toFixed(1)} GiB`];
  return [
    [`deno ${deno}`, target, `${cores} cores`, ...room].join(", "),
    `cpu: ${cpu}`,
    `webgpu: ${webgpu}`,
    `--device auto is ${auto}: ${why}`,
  ];
}
