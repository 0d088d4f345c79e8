import { webgpuTest } from "./webgpu_device.ts";
import { checkAgainstReference, checkKnownAnswers } from "./random_check.ts";

webgpuTest("random", "Threefry gives the published words", checkKnownAnswers);
webgpuTest("random", "draws are those of the reference", checkAgainstReference);
