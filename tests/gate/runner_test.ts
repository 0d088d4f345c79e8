import { assertEquals } from "@std/assert";
import { outcomeOf } from "../junit.ts";
import { refused, skippedOf } from "../skip.ts";

Deno.test("runner: counts passed, failed and skipped cases of a report", () => {
  const report = `<testsuites name="deno test" tests="4" failures="1"><testsuite name="a">
    <testcase name="a &lt;b&gt; &amp; &quot;c&quot;" classname="a" time="0.004">
    </testcase>
    <testcase name="d" classname="a" time="0.004"><failure message="no">Error: no</failure>
    </testcase>
    <testcase name="webgpu: skipped, no &quot;adapter&quot;" classname="a"><skipped/></testcase>
    </testsuite></testsuites>`;
  const skipped = [{ suite: "webgpu", reason: 'no "adapter"' }];
  assertEquals(outcomeOf(report), { passed: 1, failed: 1, skipped });
  assertEquals(outcomeOf(""), { passed: 0, failed: 0, skipped: [] });
});

Deno.test("runner: reads a skip's reason, and says where there is none", () => {
  assertEquals(skippedOf("shared data: skipped, no folder"), {
    suite: "shared data",
    reason: "no folder",
  });
  assertEquals(skippedOf("a test"), { suite: "a test", reason: "no reason given" });
});

Deno.test("runner: a required suite may not be skipped", () => {
  const skips = ["webgpu laws", "laws on WebGPU", "shared data", "webgpus"]
    .map((suite) => ({ suite, reason: "" }));
  const names = (required: string) => refused(skips, required).map(({ suite }) => suite);
  assertEquals(names("webgpu"), ["webgpu laws", "laws on WebGPU"]);
  assertEquals(names("blas, shared data"), ["shared data"]);
  assertEquals(names(""), []);
});
