/**
 * A member of a group that etcd keeps, as a process of its own that can be killed: `etcd_process.ts URL NAME LEAST`. Writes "works" after
 * its first step, and works on until it is ended.
 *
 * @module
 */
import { etcdMember } from "./etcd_member.ts";

const [url = "", name = "", least = "0"] = Deno.args;
const member = etcdMember(url, name, Number(least), () => false);
await member.works;
console.log("works");
await member.outcome;
