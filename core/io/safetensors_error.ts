/** What is wrong with a safetensors file, in one line. */
export class SafetensorsError extends TypeError {
  /** "SafetensorsError" */
  override readonly name = "SafetensorsError";
}
