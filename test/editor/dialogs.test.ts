import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'mocha';
import {
  DEMO_DEVICE,
  DEMO_PLATFORM,
  EditorPage,
  flowTypes,
  idOf,
  type Language,
  type Theme,
  useEditor,
} from '../support/editor';

const LOCALES = join(resolve(__dirname, '..', '..'), 'locales');
const FLOW_TYPES = flowTypes();
/** Each dialog, and the choices that change what it shows. */
const DIALOGS: Array<[type: string, field?: string]> = [
  ['alink-platform', 'kind'],
  ['alink-device', 'role'],
  ['alink-device', 'authentication'],
  ['alink-device', 'thingModelSource'],
  ['alink-property-set', 'reply'],
  ['alink-property-set', 'get'],
  ['alink-property-set', 'unknown'],
  ['alink-property-set', 'output'],
  ['alink-service-in', 'reply'],
  ['alink-topic-in', 'source'],
  ['alink-topic-in', 'output'],
  ['alink-topic-out', 'qos'],
  ['alink-topic-out', 'format'],
  ['alink-raw-in', 'reply'],
  ['alink-raw-out', 'text'],
  ['alink-topo', 'action'],
  ['alink-topo', 'notify'],
  ['alink-subdevice-login', 'action'],
  ['alink-ota-in', 'work'],
  ['alink-ota-in', 'askBy'],
  ['alink-ota-progress', 'action'],
  ...FLOW_TYPES.map((type): [string] => [type]),
];

/** Texts and attributes that a person can see, and what sticks out of the tray at the right. */
interface Look {
  texts: string[];
  sticksOut: string[];
}

// A theme changes neither words nor widths; colours have a test of their own.
describeDialogs('en-US', 'light');
describeDialogs('zh-CN', 'dark');

function describeDialogs(language: Language, theme: Theme): void {
  describe(`dialogs in ${language}, ${theme}`, () => {
    const host = useEditor();
    let editor: EditorPage;
    before(async () => {
      editor = await EditorPage.open(host(), language, theme);
    });
    after(() => editor.close());

    for (const [type, field] of DIALOGS) {
      it(`${type} ${field ?? ''} fits 450 px and speaks the language`, async () => {
        await editor.narrow();
        await editor.openDialog(idOf(type));
        for (const choice of field === undefined ? [undefined] : await choices(editor, field)) {
          if (field !== undefined && choice !== undefined) await editor.field(field).selectOption(choice);
          const look = await lookAt(editor);
          assert.deepEqual(look.sticksOut, [], `with ${field} ${choice}`);
          assert.deepEqual(look.texts.filter(isKey), [], `untranslated with ${field} ${choice}`);
          assert.ok(look.texts.length > 3);
        }
        await editor.closeDialog();
        assert.deepEqual(editor.problems, []);
      });
    }

    it('names category and nodes in the palette', async () => {
      const palette = editor.page.locator('#red-ui-palette-container-alink');
      const strings = readLocale(language, 'alink-property-post');
      const shown = (await palette.textContent()) ?? '';
      assert.ok(shown.includes(strings.palette?.label?.alink ?? '?'), shown);
      for (const type of FLOW_TYPES) {
        const label = readLocale(language, type).label?.palette as string | undefined;
        assert.ok(
          label && shown.replaceAll(' ', '').includes(label.replaceAll(' ', '')),
          `${label} in ${shown}`,
        );
      }
    });

    it('shows help for each type', async () => {
      for (const type of ['alink-platform', 'alink-device', ...FLOW_TYPES]) {
        const help = await editor.page.evaluate(
          (name) => document.querySelector(`script[data-help-name="${name}"]`)?.innerHTML ?? '',
          type,
        );
        assert.equal(/[\u4e00-\u9fff]/.test(help), language === 'zh-CN', `${type}: ${help.slice(0, 80)}`);
      }
    });
  });
}

describe('themes', () => {
  const host = useEditor();

  it('follow the editor, with text that stands out', async () => {
    // Node-RED 4 has no dark theme; there both are the light one.
    for (const theme of ['light', 'dark'] as const) {
      const editor = await EditorPage.open(host(), 'en-US', theme);
      await editor.openDialog(DEMO_DEVICE);
      const contrasts = await editor.page.evaluate(readColours);
      for (const { text, front, back } of contrasts) {
        assert.ok(contrast(front, back) >= 4.5, `${theme}: "${text}" ${front} on ${back}`);
      }
      await editor.close();
    }
  });
});

describe('a dialog over another', () => {
  const host = useEditor();

  it('keeps the fields of each to itself', async () => {
    const editor = await EditorPage.open(host(), 'en-US', 'light');
    const { page } = editor;
    await editor.openDialog(idOf('alink-property-post'));
    await page.locator('#node-input-btn-device-edit, #node-input-lookup-device').first().click();
    await editor.field('productKey').waitFor();
    await editor.field('productKey').fill('a1Edited');
    await page
      .locator('#node-config-input-btn-platform-edit, #node-config-input-lookup-platform')
      .first()
      .click();
    await editor.field('kind').waitFor();
    assert.equal(await page.locator('#node-config-input-name').inputValue(), 'Emulator');
    await page.locator('#node-config-dialog-cancel').click();
    await editor.field('productKey').waitFor();
    assert.equal(await editor.field('productKey').inputValue(), 'a1Edited');
    await page.locator('#node-config-dialog-cancel').click();
    await page.locator('#node-input-valueType').waitFor({ state: 'attached' });
    assert.deepEqual(editor.problems, []);
    await editor.close();
  });

  it('shows where the emulator listens, under a path prefix', async () => {
    const editor = await EditorPage.open(host(), 'en-US', 'light');
    await editor.openDialog(DEMO_PLATFORM);
    await editor.page.waitForFunction(() =>
      document.querySelector('[data-note="addresses"]')?.textContent?.includes('mqtt://127.0.0.1:'),
    );
    await editor.close();
  });
});

async function choices(editor: EditorPage, field: string): Promise<string[]> {
  return editor
    .field(field)
    .locator('option:not([disabled])')
    .evaluateAll((options) => options.map((option) => (option as HTMLOptionElement).value));
}

async function lookAt(editor: EditorPage): Promise<Look> {
  await editor.page.waitForFunction(
    () => (document.querySelector('.red-ui-tray')?.getBoundingClientRect().width ?? 999) <= 450,
  );
  return editor.page.evaluate(() => {
    const tray = document.querySelector('.red-ui-tray');
    const body = document.querySelector('.red-ui-tray-body-wrapper');
    if (!tray || !body) throw new Error('no dialog is open');
    const sticksOut = body.scrollWidth > body.clientWidth ? ['the dialog scrolls sideways'] : [];
    const texts: string[] = [];
    const right = tray.getBoundingClientRect().right;
    for (const element of document.querySelectorAll<HTMLElement>('.alink-form *')) {
      const box = element.getBoundingClientRect();
      if (box.width === 0) continue;
      if (box.right > right) sticksOut.push(`${element.tagName} ${element.id || element.className}`);
      if (element.children.length === 0 && element.textContent) texts.push(element.textContent.trim());
      for (const name of ['placeholder', 'title', 'aria-label']) {
        const value = element.getAttribute(name);
        if (value) texts.push(value);
      }
    }
    // A missing text leaves its place empty; the key then stands for it.
    for (const element of document.querySelectorAll('.alink-form [data-i18n]')) {
      for (const part of (element.getAttribute('data-i18n') ?? '').split(';')) {
        const [, attribute, key = ''] = /^(?:\[([\w-]+)\])?(.*)$/.exec(part) ?? [];
        const value = attribute ? element.getAttribute(attribute) : element.textContent;
        if (!value?.trim()) texts.push(key);
      }
    }
    return { texts, sticksOut };
  });
}

/** `label.name`, `alink-device:hint.x`: what the editor shows when a text is missing, or a placeholder left open. */
function isKey(text: string): boolean {
  return /^([\w/-]+:)?[a-z]\w*(\.[a-zA-Z]\w*)+$/.test(text)
    ? !text.includes('example.com')
    : /__\w+__/.test(text);
}

type Strings = Record<string, Record<string, Record<string, string> & string> | undefined>;
function readLocale(language: Language, type: string): Strings {
  return JSON.parse(readFileSync(join(LOCALES, language, `${type}.json`), 'utf8')) as Strings;
}

/** Colour of each text and of the first opaque thing behind it. */
function readColours(): Array<{ text: string; front: string; back: string }> {
  const found = [];
  for (const element of document.querySelectorAll<HTMLElement>(
    '.alink-form label, .alink-form .alink-note, output',
  )) {
    if (element.getBoundingClientRect().width === 0 || !element.textContent?.trim()) continue;
    let behind: HTMLElement | null = element;
    while (behind && /, 0\)$|transparent/.test(getComputedStyle(behind).backgroundColor))
      behind = behind.parentElement;
    const back = behind ? getComputedStyle(behind).backgroundColor : 'rgb(255, 255, 255)';
    found.push({ text: element.textContent.trim(), front: getComputedStyle(element).color, back });
  }
  return found;
}

/** Contrast ratio of two colours as WCAG 2 defines it. */
function contrast(a: string, b: string): number {
  const [bright = 0, dim = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (bright + 0.05) / (dim + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = (colour.match(/[\d.]+/g) ?? []).map((part) => {
    const share = Number(part) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
