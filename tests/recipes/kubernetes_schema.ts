/**
 * The fields of Kubernetes' objects that templates may use, from the API's documentation (v1.31; JobSet v1alpha2): a name that is not
 * here is an error, as it is to `kubectl apply`.
 */

const text = { type: "string", minLength: 1 } as const, flag = { type: "boolean" } as const;
const count = { type: "integer", minimum: 0 } as const;
/** A label of DNS: what becomes a part of a host's name. */
const label = { type: "string", pattern: "^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$" } as const;
const list = (items: object): object => ({ type: "array", items, minItems: 1 });
const record = (properties: Readonly<Record<string, object>>, ...required: string[]): object => ({
  type: "object",
  properties,
  required,
  additionalProperties: false,
});
const one = (...values: readonly string[]): object => ({ enum: values });

const metadata = record({
  name: label,
  labels: { type: "object" },
  annotations: { type: "object" },
});
const env = {
  oneOf: [
    record({ name: text, value: { type: "string" } }, "name", "value"),
    record(
      {
        name: text,
        valueFrom: record({
          fieldRef: record({ fieldPath: text, apiVersion: text }, "fieldPath"),
          secretKeyRef: record({ name: label, key: text, optional: flag }, "name", "key"),
        }),
      },
      "name",
      "valueFrom",
    ),
  ],
};
const container = record(
  {
    name: label,
    image: text,
    command: list({ type: "string" }),
    args: list({ type: "string" }),
    workingDir: text,
    env: list(env),
    resources: { type: "object" },
    volumeMounts: list(
      record({ name: label, mountPath: text, readOnly: flag }, "name", "mountPath"),
    ),
  },
  "name",
  "image",
);
const pod = record(
  {
    metadata,
    spec: record(
      {
        subdomain: label,
        restartPolicy: one("Never", "OnFailure"),
        containers: list(container),
        volumes: list(record({
          name: label,
          persistentVolumeClaim: record({ claimName: label, readOnly: flag }, "claimName"),
        }, "name")),
      },
      "restartPolicy",
      "containers",
    ),
  },
  "spec",
);
const exitCodes = record(
  {
    containerName: label,
    operator: one("In", "NotIn"),
    values: list({ type: "integer", minimum: 0, maximum: 255 }),
  },
  "operator",
  "values",
);
const jobSpec = record(
  {
    completionMode: one("Indexed", "NonIndexed"),
    completions: count,
    parallelism: count,
    backoffLimit: count,
    backoffLimitPerIndex: count,
    maxFailedIndexes: count,
    activeDeadlineSeconds: count,
    ttlSecondsAfterFinished: count,
    suspend: flag,
    podReplacementPolicy: one("Failed", "TerminatingOrFailed"),
    podFailurePolicy: record({
      rules: list(
        record(
          { action: one("FailJob", "FailIndex", "Ignore", "Count"), onExitCodes: exitCodes },
          "action",
        ),
      ),
    }, "rules"),
    template: pod,
  },
  "template",
);
const kind = (apiVersion: string, name: string, spec: object): object =>
  record(
    { apiVersion: { const: apiVersion }, kind: { const: name }, metadata, spec },
    ...["apiVersion", "kind", "metadata", "spec"],
  );

/** By kind. */
export const schemas: Readonly<Record<string, object>> = {
  Service: kind(
    "v1",
    "Service",
    record({
      clusterIP: text,
      publishNotReadyAddresses: flag,
      selector: { type: "object", additionalProperties: text },
    }),
  ),
  Job: kind("batch/v1", "Job", jobSpec),
  JobSet: kind(
    "jobset.x-k8s.io/v1alpha2",
    "JobSet",
    record({
      suspend: flag,
      failurePolicy: record({
        maxRestarts: count,
        restartStrategy: one("Recreate", "BlockingRecreate"),
      }),
      network: record({
        enableDNSHostnames: flag,
        subdomain: label,
        publishNotReadyAddresses: flag,
      }),
      replicatedJobs: list(
        record(
          { name: label, replicas: count, template: record({ metadata, spec: jobSpec }, "spec") },
          "name",
          "template",
        ),
      ),
    }, "replicatedJobs"),
  ),
};
