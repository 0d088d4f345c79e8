/** What `deno task launch --template` prints: validated by schema and by the shell, as there is no cluster here. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { Ajv } from "npm:ajv@8.20.0";
import { parseAllDocuments } from "npm:yaml@2.9.1";
import { type JobPlace, jobPlace } from "../../dist/job/place.ts";
import { type TemplateKind, templateKinds } from "../../recipes/launch/template.ts";
import { inFolder } from "../in_folder.ts";
import { schemas } from "./kubernetes_schema.ts";
import { runRecipe } from "./recipe_command.ts";

const WORDS = ["hello", "--out", "/data/it's", "$(HOME)", "--steps=9"];

/** What is printed for a task of a folder's own. */
function printed(kind: TemplateKind, ...more: readonly string[]): Promise<string> {
  return inFolder(async (folder) => {
    const tasks = { hello: "deno run main.ts" };
    await Deno.writeTextFile(join(folder, "deno.json"), JSON.stringify({ tasks }));
    const words = [
      ...["--template", kind, "--nproc", "4", "--nnodes", "2", "--restarts", "3", ...more],
      ...["--", ...WORDS],
    ];
    const { code, out, error } = await runRecipe("launch", folder, words);
    assertEquals([code, error], [0, ""]);
    assert(!out.includes("__"), out);
    return out;
  });
}

/** What is looked at of containers, jobs and what holds them; the schemas say what is there. */
interface Container {
  readonly args: readonly string[];
  readonly env: readonly {
    readonly name: string;
    readonly value: string;
    readonly valueFrom?: { readonly secretKeyRef?: object };
  }[];
}
interface Job {
  readonly completions: number;
  readonly parallelism: number;
  readonly backoffLimit: number;
  readonly template: {
    readonly spec: { readonly containers: readonly [Container]; readonly subdomain: string };
  };
}
interface JobSet {
  readonly failurePolicy: { readonly maxRestarts: number };
  readonly network: { readonly subdomain: string };
  readonly replicatedJobs: readonly [
    { readonly name: string; readonly template: { readonly spec: Job } },
  ];
}
interface Document {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: Job & JobSet & { readonly selector: object };
}

/** The documents of a file, each valid by the schema of its kind. */
function documents<D extends readonly Document[]>(text: string): D {
  const found = parseAllDocuments(text).map((document) => {
    assertEquals([...document.errors, ...document.warnings], []);
    return document.toJS() as Document;
  });
  for (const object of found) {
    const ajv = new Ajv({ allErrors: true }), schema = schemas[object.kind];
    assert(schema, `no schema of ${object.kind}`);
    assert(ajv.validate(schema, object), `${object.kind}: ${ajv.errorsText()}`);
  }
  return found as readonly Document[] as D;
}

/** The place that a pod of this index reads from its environment. */
function placeIn(container: Container, index: number): JobPlace {
  const env = new Map<string, string>([["JOB_COMPLETION_INDEX", String(index)]]);
  for (const { name, value, valueFrom } of container.env) {
    const text = valueFrom?.secretKeyRef ? "a secret" : valueFrom ? String(index) : value;
    // What Kubernetes does with what was set before.
    env.set(
      name,
      text.replace(/\$\((\w+)\)/g, (whole: string, key: string) => env.get(key) ?? whole),
    );
  }
  return jobPlace((name) => env.get(name))!;
}

Deno.test("templates: a Job of Kubernetes is valid, and each pod finds its place", async () => {
  const [service, job] = documents<[Document, Document]>(await printed("job", "--name", "run-1"));
  assertEquals(service.spec.selector, { "batch.kubernetes.io/job-name": job.metadata.name });
  assertEquals([job.spec.completions, job.spec.parallelism, job.spec.backoffLimit], [8, 8, 24]);
  const [container] = job.spec.template.spec.containers;
  // Two dollars: Kubernetes makes one of them, and puts nothing in.
  assertEquals(container.args.slice(0, 3), ["deno", "task", "--quiet"]);
  assertEquals(container.args.slice(3), WORDS.map((word) => word.replace("$(", () => "$$(")));
  const place = placeIn(container, 5);
  assertEquals([place.rank, place.size, place.generation, place.token], [5, 8, 2, "a secret"]);
  assertEquals([place.master.hostname, place.hostname], ["run-1-0.run-1", "run-1-5.run-1"]);
  assertEquals(job.spec.template.spec.subdomain, service.metadata.name);
  assertEquals(placeIn(container, 0).hostname, "run-1-0.run-1");
});

Deno.test("templates: a JobSet is valid, and each pod finds its place", async () => {
  const [set] = documents<[Document]>(await printed("jobset"));
  assertEquals(set.spec.failurePolicy.maxRestarts, 3);
  const [ranks] = set.spec.replicatedJobs,
    [container] = ranks.template.spec.template.spec.containers;
  assertEquals(ranks.template.spec.completions, 8);
  const place = placeIn(container, 7), name = set.metadata.name;
  assertEquals([place.rank, place.size], [7, 8]);
  assertEquals(place.master.hostname, `${name}-${ranks.name}-0-0.${set.spec.network.subdomain}`);
  assertEquals(place.hostname, `${name}-${ranks.name}-0-7.${set.spec.network.subdomain}`);
});

/** Long options of sbatch and srun that templates may use, from their manuals. */
const sbatch = ["job-name", "nodes", "ntasks-per-node", "requeue", "open-mode", "time", "output"];

Deno.test("templates: a script of Slurm is one of the shell, and tries again", () =>
  inFolder(async (folder) => {
    const script = await printed("slurm"), path = join(folder, "job.sh");
    for (const [, name] of script.matchAll(/^#SBATCH --([\w-]+)/gm)) {
      assert(sbatch.includes(name!), `sbatch has no --${name}`);
    }
    assertMatch(script, /^#SBATCH --nodes=2\n#SBATCH --ntasks-per-node=4$/m);
    await Deno.writeTextFile(path, script);
    // An srun that fails twice, and says what it was asked to start.
    await Deno.writeTextFile(
      join(folder, "srun"),
      `#!/bin/bash\nprintf '%s|' "$MOTIAN_GENERATION" "$MASTER_PORT" "$MOTIAN_JOB" "\${#MOTIAN_TOKEN}" "$@"; echo\n` +
        `[ "$MOTIAN_GENERATION" -ge 103 ]\n`,
    );
    await Deno.chmod(join(folder, "srun"), 0o755);
    const { code, stdout } = await new Deno.Command("bash", {
      args: [path],
      env: {
        ...{ PATH: `${folder}:${Deno.env.get("PATH")}`, SLURM_JOB_ID: "12345" },
        SLURM_RESTART_COUNT: "1",
      },
    }).output();
    const asked = ["--kill-on-bad-exit=1", "deno", "task", "--quiet", ...WORDS, "\n"].join("|");
    const expected = [101, 102, 103].map((n) => `${n}|22345|slurm-12345|64|${asked}`).join("");
    assertEquals([code, new TextDecoder().decode(stdout)], [0, expected]);
  }));

Deno.test("templates: every kind there is has been tried, and a name that is no host's is refused", () =>
  inFolder(async (folder) => {
    assertEquals(templateKinds, ["slurm", "job", "jobset"]);
    const words = ["--template", "job", "--nproc", "2", "--name", "No_Host", "--", "x"];
    const { code, out, error } = await runRecipe("launch", folder, words);
    assertEquals([code, out], [2, ""]);
    assertMatch(error, /^Cannot name a job "No_Host": it must be of 1 to 40 lower-case/);
  }));
