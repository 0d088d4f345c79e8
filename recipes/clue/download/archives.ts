/**
 * The official archives of tasks.
 *
 * Source: addresses are those of https://github.com/CLUEbenchmark/CLUE (README.md; that of CLUENER2020 as its users cite it). Sizes and
 * checksums are those of https://github.com/huggingface/datasets at 040102f100964a33fd334e2695f1c493fa6b92db,
 * datasets/clue/dataset_infos.json, made when CLUE 1.1 was out. For OCNLI and CLUENER nobody has published any: the first download decides.
 * CLUE has replaced archives before.
 *
 * @module
 */

/** An archive. */
export interface Archive {
  readonly url: string;
  /** The folder that it is unpacked into. */
  readonly folder: string;
  /** Units: bytes. */
  readonly bytes?: number;
  /** In hexadecimal. */
  readonly sha256?: string;
}

const official = (name: string, folder: string, bytes?: number, sha256?: string): Archive => ({
  url: `https://storage.googleapis.com/cluebenchmark/tasks/${name}_public.zip`,
  folder,
  ...bytes !== undefined && { bytes },
  ...sha256 !== undefined && { sha256 },
});

const cluener = official("cluener", "cluener");

/** By the names of tasks. The others are in no archive of CLUE's. */
export const archives: Readonly<Record<string, Archive>> = {
  afqmc: official(
    ...["afqmc", "afqmc", 1_195_044] as const,
    "5a4cb1556b833010c329fa2ad2207d9e98fc94071b7e474015e9dd7c385db4dc",
  ),
  tnews: official(
    ...["tnews", "tnews", 5_123_575] as const,
    "77c476e70cfe0b014a81b84c6e1db2142a8a2f52f4ae0a8216aa75e673933462",
  ),
  iflytek: official(
    ...["iflytek", "iflytek", 6_505_938] as const,
    "c59b961b29f1d0bad0c5e01aa62e4a61a80e9cfb980ce89b06c000851fbb3b06",
  ),
  cmnli: official(
    ...["cmnli", "cmnli", 31_404_066] as const,
    "3a3f3b1d3d27134cf11e585156f07fa050bd0a0836821c02696af0dbaa14513b",
  ),
  ocnli: official("ocnli", "ocnli"),
  cluewsc: official(
    ...["cluewsc2020", "cluewsc", 281_384] as const,
    "ebe5f357b19392d601be401b2fd4246983f534809a078eab7bda1de418fb3ffe",
  ),
  csl: official(
    ...["csl", "csl", 3_234_594] as const,
    "795d1a2e475d59acad8236f6c5baba7a0b43d3e0508cb60f15ffbc76d5f437c4",
  ),
  cmrc2018: official(
    ...["cmrc2018", "cmrc2018", 3_405_146] as const,
    "6c63dc27e728ec5231aeb7d2861b4c90b6c116390582e0c44416cf3edf030b16",
  ),
  chid: official(
    ...["chid", "chid", 139_199_202] as const,
    "be02dbcc41a9c237542141f53836e70a209f7a686cf894891411c7e5534f73a4",
  ),
  c3: official(
    ...["c3", "c3", 3_495_930] as const,
    "20dfa683c57c9795129e22d8dd0c299d6b2a29fbc84758ef2ebdb8b2904d7e12",
  ),
  cluener,
  "cluener-softmax": cluener,
};
