export { evaluate, reference } from "./device.ts";
