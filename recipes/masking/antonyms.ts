/**
 * Words that mean the opposite of each other: similar in all that a corpus shows, and the last that a synonym may be.
 *
 * @module
 */
import { readText } from "../data/read_text.ts";
import { InputError } from "../cli/input_error.ts";

/** For each word those that mean the opposite. */
export type Antonyms = ReadonlyMap<string, ReadonlySet<string>>;

/** Characters that turn a word round, by opposites; two words that differ in such a pair alone are antonyms. */
const OPPOSITES =
  "大小 多少 高低 高矮 上下 左右 前后 里外 内外 长短 远近 快慢 早晚 新旧 冷热 轻重 强弱 好坏 善恶 美丑 " +
  "真假 对错 是非 有无 开关 进出 来去 来往 升降 涨跌 买卖 增减 加减 生死 存亡 胜败 胜负 输赢 得失 爱恨 喜悲 公私 男女 " +
  "老少 正反 正负 正副 天地 东西 南北 古今 先后 始终 首尾 头尾 动静 松紧 宽窄 粗细 厚薄 深浅 明暗 黑白 干湿 软硬 贫富 " +
  "穷富 贵贱 敌友 主客 师生 夫妻 父母 父子 母子 兄弟 姐妹 哥姐 弟妹 儿女 公婆 攻守 攻防 收发 收支 借还 问答 迎送 聚散 " +
  "分合 离合 起落 沉浮 凉暖 寒暖 甜苦 香臭 雅俗 优劣 难易 繁简 虚实 盈亏 利弊 功过 赏罚 褒贬 忠奸 安危 治乱 兴亡 盛衰 " +
  "春秋 夏冬 日夜 昼夜 阴阳 雌雄 公母 单双 奇偶 横竖 纵横 曲直 方圆 胖瘦 肥瘦 饥饱 醒睡 哭笑 站坐 推拉 提压 拿放 穿脱 " +
  "张合 伸缩 呼吸 吞吐 吃吐 零整 稀密 浓淡 清浊 净脏 稳乱 急缓 忙闲 勤懒 巧拙 智愚 贤愚 勇怯 骄谦 诚伪 恩怨 祸福 吉凶";

/** Before a word they turn it round: 满意, 不满意. */
const NEGATIONS = ["不", "没", "无", "非", "未", "没有", "反", "失", "禁"];

const pairs = new Set(OPPOSITES.split(" ").flatMap((p) => [p, [...p].reverse().join("")]));

/** Does a table, a negation or a pair of opposite characters say that two words are antonyms? */
export function areAntonyms(table: Antonyms, a: string, b: string): boolean {
  if (table.get(a)?.has(b) || table.get(b)?.has(a)) return true;
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  if (NEGATIONS.some((no) => long === no + short)) return true;
  if (a.length !== b.length) return false;
  const differ = [...a].flatMap((c, i) => c === b[i] ? [] : [i]);
  if (differ.length === 0) return false;
  return differ.every((i) =>
    pairs.has(a[i]! + b[i]!) || NEGATIONS.includes(a[i]!) !== NEGATIONS.includes(b[i]!)
  );
}

/**
 * Reads a table of antonyms, `大——小` a line, with any dash or a tab.
 *
 * @throws InputError at a line that is no pair.
 */
export async function readAntonyms(path: string): Promise<Antonyms> {
  const table = new Map<string, Set<string>>();
  let text = "";
  for await (const piece of readText(path)) text += piece;
  text.split("\n").forEach((raw, i) => {
    const line = raw.trim();
    if (line === "") return;
    const [a, b, ...more] = line.split(/[\p{Pd}─\t]+/u).map((word) => word.trim());
    if (!a || !b || more.length > 0) {
      throw new InputError(`Cannot read ${path}: line ${i + 1} is no pair of words such as 大——小`);
    }
    for (const [one, other] of [[a, b], [b, a]] as const) {
      const known = table.get(one);
      if (known) known.add(other);
      else table.set(one, new Set([other]));
    }
  });
  return table;
}
