/**
 * A concrete tensor's contents. A value is immutable, so it may stand on the host and on several devices at once; it is
 * uploaded when a device first needs it. Values are freed by a scope, by `dispose`, or, at last, by the garbage collector.
 *
 * @module
 */
import type { DType, HostArray } from "../dtype.ts";
import type { Device, Storage } from "./device.ts";

/** Frees what a forgotten value held. It must not hold the value itself. */
const forgotten = new FinalizationRegistry<Map<Device, Storage>>((places) => freeAll(places));

function freeAll(places: Map<Device, Storage>): void {
  for (const [device, storage] of places) device.free(storage);
  places.clear();
}

const scopes: Set<Value>[] = [];

/** owns: device memory. */
export class Value {
  readonly size: number;
  readonly dtype: DType;
  #host: HostArray | undefined;
  readonly #places: Map<Device, Storage> = new Map();
  #gone: string | undefined;

  constructor(
    size: number,
    dtype: DType,
    host: HostArray | undefined,
    device?: Device,
    storage?: Storage,
  ) {
    this.size = size;
    this.dtype = dtype;
    this.#host = host;
    if (device && storage) this.#places.set(device, storage);
    forgotten.register(this, this.#places, this);
    scopes.at(-1)?.add(this);
  }

  /** The device that holds it, or undefined while it is only on the host. */
  get device(): Device | undefined {
    return this.#places.keys().next().value;
  }

  /** Its memory on `device`; uploads it if it is only on the host. */
  on(device: Device): Storage {
    this.#check();
    const found = this.#places.get(device);
    if (found) return found;
    if (!this.#host) {
      throw new TypeError(
        `Cannot use a tensor of ${this.device?.kind} on ${device.kind}: move it with toDevice`,
      );
    }
    const storage = device.allocate(this.size, this.dtype);
    device.write(storage, this.#host, this.dtype);
    this.#places.set(device, storage);
    return storage;
  }

  /** The contents, in the host's layout. */
  read(): Promise<HostArray> {
    this.#check();
    if (this.#host) return Promise.resolve(this.#host.slice());
    const [device, storage] = this.#places.entries().next().value!;
    return device.read(storage, this.size, this.dtype);
  }

  /** Hands the memory on `device` over to a donated output; the value cannot be used any more. */
  donate(device: Device): Storage {
    const storage = this.on(device);
    this.#places.delete(device);
    this.dispose("donated to a program that replaced it");
    return storage;
  }

  /** Frees the memory now. */
  dispose(reason = "disposed"): void {
    freeAll(this.#places);
    this.#host = undefined;
    this.#gone ??= reason;
    forgotten.unregister(this);
    scopes.at(-1)?.delete(this);
  }

  #check(): void {
    if (this.#gone) throw new TypeError(`Cannot use this tensor: it was ${this.#gone}`);
  }
}

/** Hands values over to the scope that is open now, if any. */
export function adopt(values: Iterable<Value>): void {
  for (const value of values) scopes.at(-1)?.add(value);
}

/** Starts collecting the values that are made from now on; the result ends it and says what was made. */
export function collect(): () => Set<Value> {
  const made = new Set<Value>();
  scopes.push(made);
  return () => {
    const at = scopes.lastIndexOf(made);
    if (at >= 0) scopes.splice(at, 1);
    return made;
  };
}
