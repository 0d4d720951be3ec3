import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before } from 'mocha';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from './browser';
import { type FlowNode, type Runtime, startRuntime } from './runtime';

/** What the tests use of the editor's own objects, inside the page. */
declare const RED: {
  nodes: {
    node(id: string): { _def: { category: string }; [field: string]: unknown } | null;
  };
  editor: { edit(node: object): void; editConfig(name: string, type: string, id: string): void };
  tray: { close(): void };
};

declare const $: (element: Element) => { trigger(event: string): void };

export type Language = 'en-US' | 'zh-CN';
export type Theme = 'light' | 'dark';

/** A runtime with its editor in a browser; one of each for all tests of the process. */
export interface EditorHost {
  runtime: Runtime;
  browser: Browser;
}

const WIDE = { width: 1500, height: 1000 };

let started: Promise<EditorHost> | undefined;

const EXAMPLES = join(resolve(__dirname, '..', '..'), 'examples');

/** The demo, and one node of each further type from the examples: all that have a dialog. */
export const DEMO = readDemo();
export const DEMO_PLATFORM = idOf('alink-platform');
export const DEMO_DEVICE = idOf('alink-device');
/** For previews of the cloud; nothing connects to it. */
export const PUBLIC_PLATFORM = 'public-platform';

/** Starts runtime and browser before the tests of the suite; `httpAdminRoot` is not the root on purpose. */
export function useEditor(): () => EditorHost {
  let host: EditorHost | undefined;
  before(async function () {
    this.timeout(60_000);
    started ??= start();
    host = await started;
  });
  return () => {
    if (!host) throw new Error('the editor has not started');
    return host;
  };
}

after(async () => {
  const host = await started;
  await host?.browser.close();
  await host?.runtime.stop();
});

async function start(): Promise<EditorHost> {
  const runtime = await startRuntime({ httpAdminRoot: '/plant/editor' });
  await runtime.deploy(DEMO);
  const browser = await launchBrowser();
  return { runtime, browser };
}

/** The editor in one language and theme, with everything that went wrong in the page. */
export class EditorPage {
  readonly problems: string[] = [];

  private constructor(readonly page: Page) {
    page.on('pageerror', (error) => this.problems.push(`page error: ${error.message}`));
    page.on('response', (response) => {
      if (response.status() >= 400) this.problems.push(`${response.status()} ${response.url()}`);
    });
    page.on('console', (message) => {
      if (message.type() === 'error') this.problems.push(`console: ${message.text()}`);
    });
  }

  static async open(host: EditorHost, language: Language, theme: Theme): Promise<EditorPage> {
    const context = await host.browser.newContext({ locale: language, viewport: WIDE });
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    await page.addInitScript(`localStorage.setItem('view-dark-theme', '${theme}')`);
    const editor = new EditorPage(page);
    await page.goto(`${host.runtime.url}/`);
    // As text, because RED does not exist at first.
    await page.waitForFunction(`window.RED?.nodes?.node('${DEMO_DEVICE}')`);
    // The loading screen covers the editor until it is usable.
    await page.locator('#red-ui-loading-progress').waitFor({ state: 'hidden' });
    return editor;
  }

  /** Opens the dialog of a node, everything unfolded. */
  async openDialog(id: string): Promise<void> {
    // A test that failed may have left its dialog open.
    if ((await this.page.locator('.red-ui-tray').count()) > 0) await this.closeDialog();
    await this.page.evaluate((nodeId) => {
      const node = RED.nodes.node(nodeId);
      if (!node) throw new Error(`no node ${nodeId}`);
      if (node._def.category === 'config') RED.editor.editConfig('', String(node.type), nodeId);
      else RED.editor.edit(node);
    }, id);
    await this.page.locator('.red-ui-tray .alink-form').waitFor();
    await this.page.evaluate(() => {
      for (const fold of document.querySelectorAll('.alink-form details')) fold.setAttribute('open', '');
    });
  }

  /** Node-RED takes the focus to the first field when a dialog has slid in; what is typed before goes anywhere. */
  async settled(): Promise<void> {
    await this.page.waitForFunction(() =>
      document.querySelector('.red-ui-tray')?.contains(document.activeElement),
    );
  }

  async closeDialog(): Promise<void> {
    await this.page.evaluate(() => RED.tray.close());
    await this.page.locator('.red-ui-tray').waitFor({ state: 'detached' });
  }

  /** Makes the window so narrow that the editor gives its dialogs at most 450 px. */
  async narrow(): Promise<void> {
    await this.wide();
    // The editor leaves 8 px beside a dialog; the rest is the sidebar's, the same in windows of any width.
    const left = await this.page
      .locator('#red-ui-editor-stack')
      .evaluate((stack) => stack.getBoundingClientRect().left);
    await this.page.setViewportSize({ ...WIDE, width: WIDE.width - Math.ceil(left) + 457 });
  }

  wide(): Promise<void> {
    return this.page.setViewportSize(WIDE);
  }

  /** Sets fields the way a person's input does, all at once. */
  async fill(values: Readonly<Record<string, string>>): Promise<void> {
    await this.page.evaluate((entries) => {
      for (const [name, value] of entries) {
        const field = document.querySelector<HTMLInputElement>(
          `#node-config-input-${name}, #node-input-${name}, [data-role="${name}"]`,
        );
        if (!field) throw new Error(`no field ${name}`);
        field.value = value;
        $(field).trigger('change');
        field.dispatchEvent(new Event('input', { bubbles: true }));
      }
    }, Object.entries(values));
  }

  field(name: string): ReturnType<Page['locator']> {
    return this.page.locator(`#node-config-input-${name}, #node-input-${name}`);
  }

  note(name: string): ReturnType<Page['locator']> {
    return this.page.locator(`.alink-form [data-note="${name}"]`);
  }

  close(): Promise<void> {
    return this.page.context().close();
  }
}

function readDemo(): FlowNode[] {
  const flow = readExample('demo.json');
  const platform = nodeOf(flow, 'alink-platform').id;
  const device = nodeOf(flow, 'alink-device').id;
  const shown = new Set(flow.map(({ type }) => type));
  const gateways = new Map<string, FlowNode>();
  const others = readdirSync(EXAMPLES).flatMap((file) => {
    const example = readExample(file);
    // Each type once, on the demo's canvas with the demo's device, or with a gateway where it needs one.
    return example.flatMap((node) => {
      if (!node.type.startsWith('alink-') || shown.has(node.type)) return [];
      shown.add(node.type);
      const own = example.find(({ id }) => id === node.device);
      const isGateway = own?.role === 'gateway';
      if (own && isGateway) gateways.set(own.id, { ...own, platform });
      const place = { z: nodeOf(flow, 'tab').id, x: 200, y: 600 + 40 * shown.size, wires: [] };
      return [
        {
          ...node,
          ...place,
          ...(node.device && !isGateway ? { device } : {}),
          ...(node.platform ? { platform } : {}),
        },
      ];
    });
  });
  const publicPlatform = {
    ...nodeOf(flow, 'alink-platform'),
    id: 'public-platform',
    name: '',
    kind: 'public',
  };
  return [...flow, publicPlatform, ...gateways.values(), ...others];
}

function readExample(file: string): FlowNode[] {
  return JSON.parse(readFileSync(join(EXAMPLES, file), 'utf8')) as FlowNode[];
}

function nodeOf(flow: readonly FlowNode[], type: string): FlowNode {
  const node = flow.find((candidate) => candidate.type === type);
  if (!node) throw new Error(`the demo has no ${type}`);
  return node;
}

export function idOf(type: string): string {
  return nodeOf(DEMO, type).id;
}

/** Types of ours on the canvas, without the two that are settings. */
export function flowTypes(): string[] {
  return DEMO.map(({ type }) => type).filter(
    (type, i, types) =>
      type.startsWith('alink-') &&
      !['alink-platform', 'alink-device'].includes(type) &&
      types.indexOf(type) === i,
  );
}
