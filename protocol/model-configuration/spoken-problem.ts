import { CHINESE } from './chinese';
import { CHINESE_PROBLEMS } from './chinese-problems';
import { saidAbout, spoken } from './said';
import type { ModelProblem } from './types';

const WORDS = { ...CHINESE, ...CHINESE_PROBLEMS };

/**
 * A problem as people read it: where it is, and what.
 * @param language `en-US` or `zh-CN`; English unless it begins with zh
 */
export function spokenProblem({ path, said }: ModelProblem, language?: string): string {
  return spoken(saidAbout(path, said), isChinese(language) ? WORDS : {});
}

export function isChinese(language: string | undefined): boolean {
  return language?.toLowerCase().startsWith('zh') === true;
}
