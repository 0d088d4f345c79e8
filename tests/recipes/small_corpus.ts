/**
 * A small Chinese corpus for tests, written for them: sentences from a few patterns, the same ones every time.
 *
 * @module
 */
import { draws } from "../../recipes/masking/counter_random.ts";

const WHO = "我们 老师 学生 医生 工程师 邻居 妈妈 弟弟 司机 画家 农民 记者".split(" ");
const WHEN = "今天 昨天 早上 晚上 春天 冬天 周末 下雨的时候 吃完饭以后 去年夏天".split(" ");
const WHERE = "在图书馆 在公园 在北京 在上海 在海边 在学校门口 在火车站 在家里 在山上".split(" ");
const DOES = "学习 讨论 喜欢 准备 修理 买到 看见 想起 介绍 研究 记录".split(" ");
const WHAT =
  "中文 音乐 机器 一本新书 足球比赛 红色的自行车 搜索引擎 语言模型 天气预报 三只小猫 NBA新闻 Deno程序"
    .split(" ");
const END = ["。", "！", "，非常高兴。", "，后来又忘了。", "，大家都说好。"];

/** `count` documents of one to five sentences. */
export function smallCorpus(count: number, seed = 1): readonly string[] {
  return Array.from({ length: count }, (_, i) => {
    const { below } = draws(seed, 99, 0, i);
    const one = (words: readonly string[]): string => words[below(words.length)]!;
    const sentence = (): string =>
      one(WHEN) + one(WHO) + one(WHERE) + one(DOES) + one(WHAT) + one(END);
    return Array.from({ length: 1 + below(5) }, sentence).join("");
  });
}
