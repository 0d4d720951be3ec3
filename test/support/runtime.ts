import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import express from 'express';
import { newUserDir, QUIET } from './user-dir';

export type FlowNode = { id: string; type: string; [field: string]: unknown };

interface RuntimeNode {
  receive(msg: object): void;
  [field: string]: unknown;
}

interface RedModule {
  init(server: Server, settings: object): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  httpAdmin: express.Express;
  httpNode: express.Express;
  events: NodeJS.EventEmitter;
  runtime: {
    flows: {
      setFlows(options: object): Promise<{ rev: string }>;
      getFlows(options: object): Promise<unknown>;
    };
    nodes: { getNodeList(options: object): Promise<Array<{ id: string; types: string[]; err?: unknown }>> };
  };
  nodes: { getNode(id: string): RuntimeNode | null };
}

/** A message with whatever the flow put into it. */
export interface FlowMessage {
  payload?: unknown;
  topic?: unknown;
  alink?: Record<string, unknown>;
  error?: { message: string; code?: unknown; source: { id: string } };
  status?: { text?: string; fill?: string };
  [field: string]: unknown;
}

/** A real Node-RED in this process, with the built nodes installed as a user's would be. */
export interface Runtime {
  url: string;
  userDir: string;
  events: NodeJS.EventEmitter;
  /** Deploys and waits until the flows run. */
  deploy(flow: FlowNode[], type?: 'full' | 'nodes' | 'flows'): Promise<void>;
  node(id: string): RuntimeNode;
  /** Sends a message into a node. */
  send(id: string, msg: object): void;
  /** Next message at a `test-sink` that fits. */
  next(sink: string, fits?: (msg: FlowMessage) => boolean, timeoutMs?: number): Promise<FlowMessage>;
  stop(): Promise<void>;
}

export interface RuntimeOptions {
  adminAuth?: object;
  httpAdminRoot?: string;
  lang?: string;
  /** Further collections, out of the dev dependencies. */
  neighbours?: readonly string[];
}

/**
 * Boots the Node-RED that `ALINK_TEST_NODE_RED` names (`node-red` or `node-red-4`).
 * One per process: Node-RED keeps its state in modules.
 */
export async function startRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const RED = require(process.env.ALINK_TEST_NODE_RED ?? 'node-red') as RedModule;
  const userDir = newUserDir(undefined, options.neighbours);
  const app = express();
  const server = createServer(app);
  const root = options.httpAdminRoot ?? '/';
  RED.init(server, {
    userDir,
    nodesDir: join(__dirname, 'test-nodes'),
    httpAdminRoot: root,
    httpNodeRoot: '/http',
    credentialSecret: 'test',
    flowFile: 'flows.json',
    logging: { console: { level: process.env.ALINK_TEST_LOG ?? 'fatal', metrics: false, audit: false } },
    ...QUIET,
    lang: options.lang ?? 'en-US',
    ...(options.adminAuth ? { adminAuth: options.adminAuth } : {}),
  });
  app.use('/http', RED.httpNode);
  app.use(root, RED.httpAdmin);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // It starts its flows, none as yet, some time after it said it has started; a deploy must not take that for its own.
  const loaded = waitFor(RED.events, 'flows:started', () => true, 15_000);
  await RED.start();
  await loaded;
  const broken = (await RED.runtime.nodes.getNodeList({})).filter(({ err }) => err);
  if (broken.length > 0)
    throw new Error(`nodes that did not load: ${broken.map(({ id, err }) => `${id}: ${err}`)}`);
  const { events } = RED;

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${root === '/' ? '' : root}`,
    userDir,
    events,
    deploy: async (flow, type = 'full') => {
      const started = waitFor(events, 'flows:started', () => true, 15_000);
      const tab = flow.some((node) => node.type === 'tab') ? [] : [{ id: 'tab', type: 'tab', label: 'test' }];
      await RED.runtime.flows.setFlows({
        flows: { flows: [...tab, ...flow.map(onCanvas)] },
        deploymentType: type,
      });
      await started;
    },
    node: (id) => {
      const node = RED.nodes.getNode(id);
      if (!node) throw new Error(`no node ${id} is running`);
      return node;
    },
    send: (id, msg) => {
      const node = RED.nodes.getNode(id);
      if (!node) throw new Error(`no node ${id} is running`);
      node.receive(msg);
    },
    next: (sink, fits = () => true, timeoutMs = 10_000) =>
      waitFor(events, `test-sink:${sink}`, fits, timeoutMs) as Promise<FlowMessage>,
    stop: async () => {
      await RED.stop();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
      rmSync(userDir, { recursive: true, force: true });
    },
  };
}

// Node-RED takes whatever has no place on the canvas for a config node; these have no wires.
function onCanvas(node: FlowNode): FlowNode {
  return node.z === undefined || node.x !== undefined || !('wires' in node)
    ? node
    : { ...node, x: 100, y: 100 };
}

function waitFor<T>(
  emitter: NodeJS.EventEmitter,
  event: string,
  fits: (value: T) => boolean,
  timeoutMs: number,
): Promise<T> {
  return new Promise((resolvePromise, reject) => {
    const seen: T[] = [];
    const timer = setTimeout(() => {
      emitter.off(event, listen);
      reject(
        new Error(`no fitting ${event} within ${timeoutMs} ms; seen: ${JSON.stringify(seen).slice(0, 2000)}`),
      );
    }, timeoutMs);
    function listen(value: T): void {
      if (seen.length < 20) seen.push(value);
      if (!fits(value)) return;
      clearTimeout(timer);
      emitter.off(event, listen);
      resolvePromise(value);
    }
    emitter.on(event, listen);
  });
}
