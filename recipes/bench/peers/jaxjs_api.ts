/**
 * What the bench uses of jax-js 0.1.25, with its types. Functions take over what they are given: `x.ref` keeps it.
 *
 * @module
 */

/** An array. */
export interface JaxArray {
  readonly ref: JaxArray;
  readonly shape: number[];
  dispose(): void;
  data(): Promise<ArrayLike<number>>;
  add(other: JaxArray | number): JaxArray;
  sub(other: JaxArray | number): JaxArray;
  mul(other: JaxArray | number): JaxArray;
  div(other: JaxArray | number): JaxArray;
  equal(other: JaxArray | number): JaxArray;
  sum(axis?: number | number[] | null, options?: { keepdims?: boolean }): JaxArray;
  mean(axis?: number | number[] | null, options?: { keepdims?: boolean }): JaxArray;
  max(axis?: number | number[] | null, options?: { keepdims?: boolean }): JaxArray;
  reshape(shape: number[]): JaxArray;
  transpose(axes?: number[]): JaxArray;
  slice(...index: (number | [] | [number, number] | null | JaxArray)[]): JaxArray;
}

/** A compiled function. */
export type Compiled<F> = F & { dispose(): void };

/** The library. */
export interface JaxJs {
  init(...devices: string[]): Promise<string[]>;
  defaultDevice(device: string): string;
  blockUntilReady<T>(arrays: T): Promise<T>;
  jit<F extends (...args: never[]) => unknown>(f: F): Compiled<F>;
  valueAndGrad<P, A extends unknown[]>(
    f: (params: P, ...args: A) => JaxArray,
  ): (params: P, ...args: A) => [JaxArray, P];
  readonly numpy: {
    readonly int32: string;
    array(
      data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | number,
      options?: { shape?: number[]; dtype?: string },
    ): JaxArray;
    zeros(shape: number[]): JaxArray;
    arange(stop: number): JaxArray;
    matmul(a: JaxArray, b: JaxArray): JaxArray;
    sqrt(x: JaxArray): JaxArray;
    exp(x: JaxArray): JaxArray;
    square(x: JaxArray): JaxArray;
    maximum(x: JaxArray | number, y: JaxArray | number): JaxArray;
    where(condition: JaxArray, x: JaxArray | number, y: JaxArray | number): JaxArray;
  };
  readonly nn: {
    gelu(x: JaxArray, options?: { approximate?: boolean }): JaxArray;
    softmax(x: JaxArray, axis?: number): JaxArray;
    standardize(x: JaxArray, axis?: number, options?: { epsilon?: number }): JaxArray;
    logSoftmax(x: JaxArray, axis?: number): JaxArray;
  };
}
