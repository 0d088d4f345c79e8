/**
 * The rules that look at a line: each is one entry here.
 *
 * @module
 */
import type { LineRule } from "./rule.ts";
import { squeeze } from "./squeeze.ts";

/** Fewer Chinese characters than this beside an address make no sentence. */
const SENTENCE = 20;

const HAN = /[\u4e00-\u9fff]/g;
const chinese = (text: string): number => text.match(HAN)?.length ?? 0;

const TLD = "(?:com|net|org|cn|cc|info|biz|top|xyz|vip|tv|me)";
const LETTERS = /[A-Za-z\uff21-\uff5a]/;
/** The name of a site between its www and its ending, or the ending alone, however it was broken up before it was squeezed. */
const HIDDEN_SITE = new RegExp(`(?:www|wap|http|https)[a-z0-9]{3,40}?${TLD}`);
const ADDRESS = new RegExp(
  `https?://\\S+|\\bwww\\.[\\w.-]+|\\b[\\w-]{3,}\\.${TLD}(?![\\w])`,
  "i",
);

const stamp: LineRule = {
  kind: "line",
  name: "stamp",
  about: "the name of a site, also where it is spelt with other marks or widths to hide it",
  drops(line) {
    if (line.length > 80 || !LETTERS.test(line)) return false;
    const text = squeeze(line);
    return HIDDEN_SITE.test(text) && chinese(text) < SENTENCE;
  },
};

const address: LineRule = {
  kind: "line",
  name: "address",
  about: `an address on the web with fewer than ${SENTENCE} Chinese characters beside it`,
  drops: (line) => ADDRESS.test(line) && chinese(line) < SENTENCE,
};

const ADVERTISING = [
  /加(?:我|入)?.{0,4}(?:微信|[vVqQ]{1,2}群?[:：]?\s*\d{5,}|QQ群|扣扣)/i,
  /(?:微信|QQ|扣扣|[vV]信)(?:公众)?号?[:：]\s*[\w-]{5,}/i,
  /(?:扫|识别).{0,6}二维码|长按.{0,6}(?:识别|关注)/,
  /关注.{0,8}公众号|公众号.{0,8}关注/,
  /(?:优惠券|满减|包邮|秒杀价|限时特价|立即购买|点击购买|下单立减|免费领取|货到付款|代理加盟|招商热线)/,
  /(?:订购|咨询|客服|服务|招商|加盟)(?:热线|电话)/,
  /点击.{0,8}(?:下载|链接|购买|领取|阅读原文)/,
  /(?:txt|TXT|电子书).{0,8}(?:下载|免费)|免费下载|在线阅读|手机阅读|最新更新/,
  /(?:办证|发票|贷款|开锁|疏通).{0,6}(?:电话|联系|微信)/,
];

const advert: LineRule = {
  kind: "line",
  name: "advert",
  about: "two phrases of advertising, or one and an address or a number to call",
  drops(line) {
    let phrases = 0;
    for (const phrase of ADVERTISING) if (phrase.test(line)) phrases++;
    return phrases > 1 || phrases === 1 && (ADDRESS.test(line) || CALL.test(line));
  },
};

const CALL = /(?<!\d)(?:1[3-9]\d{9}|0\d{2,3}[- ]?\d{7,8}|400[- ]?\d{3}[- ]?\d{4})(?!\d)/;
const MAIL = /[\w.+-]{2,}@[\w-]{2,}\.[A-Za-z]{2,}/;
/** 17 digits, of which eight are a day, and a digit or X. */
const IDENTITY =
  /(?<!\d)[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?!\d)/;
const MOBILE = /(?<!\d)1[3-9]\d{9}(?!\d)/;

const personal: LineRule = {
  kind: "line",
  name: "private",
  about: "a mail address, a mobile number or the number of an identity card",
  drops: (line) =>
    /\d{11}|@/.test(line) && (MAIL.test(line) || MOBILE.test(line) || IDENTITY.test(line)),
};

const BOILERPLATE =
  /^.{0,12}(?:上一[页章篇节]|下一[页章篇节]|返回(?:目录|首页|列表|顶部)|版权所有|Copyright\b|All Rights Reserved|ICP备|责任编辑[:：]|转载请注明|未经(?:授权|许可).{0,6}(?:转载|使用)|本文(?:来源|转自)|免责声明|相关(?:阅读|推荐|新闻)[:：]?$|点击查看(?:更多|全文)|您(?:的)?(?:当前)?位置[:：]|登录.{0,3}注册|加入收藏|设为首页|本章(?:未完|完)|手机用户请)/i;

const boilerplate: LineRule = {
  kind: "line",
  name: "boilerplate",
  about: "what pages say about themselves: navigation, rights, where it was copied from",
  drops: (line) => line.length < 120 && BOILERPLATE.test(line),
};

const symbols: LineRule = {
  kind: "line",
  name: "symbols",
  about: "no letter, digit or Chinese character at all",
  drops: (line) => !/[\p{L}\p{N}]/u.test(line),
};

/** The line rules, in the order in which they are asked; the first that drops a line is counted. */
export const lineRules: readonly LineRule[] = [
  stamp,
  personal,
  advert,
  address,
  boilerplate,
  symbols,
];
