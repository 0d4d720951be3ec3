import type { ThingModel } from '../../protocol';
import type { RemoteConfiguration } from '../configuration/types';
import type { ProductScript } from '../script/product-script';
import type { Device } from './device';

/** A class of user-defined topics: everything behind `/{pk}/{dn}`, wildcards allowed (B.8 row 102). */
export interface TopicClass {
  topic: string;
  operation: 'publish' | 'subscribe' | 'all';
}

/** What the console gives every new product. */
export const DEFAULT_TOPIC_CLASSES: readonly TopicClass[] = [
  { topic: '/user/update', operation: 'publish' },
  { topic: '/user/update/error', operation: 'publish' },
  { topic: '/user/get', operation: 'subscribe' },
];
/** A product that nobody defined restricts nothing of the user's own. */
export const OPEN_TOPIC_CLASSES: readonly TopicClass[] = [{ topic: '/user/#', operation: 'all' }];

export interface ProductSettings {
  productKey: string;
  name?: string;
  productSecret?: string;
  dynamicRegistration?: boolean;
  nodeType?: 'device' | 'gateway';
  dataFormat?: 'alink' | 'custom';
  thingModel?: ThingModel;
  topics?: readonly TopicClass[];
  /** JavaScript; see `Platform.setScript`. */
  script?: string;
}

export class Product {
  readonly productKey: string;
  readonly name: string;
  productSecret: string | undefined;
  dynamicRegistration: boolean;
  readonly nodeType: 'device' | 'gateway';
  /** What somebody said that it is. */
  readonly statedNodeType: 'device' | 'gateway' | undefined;
  /** False only when somebody said that it is not: of a product that came into being by itself nobody knows. */
  readonly mayBeGateway: boolean;
  /** The reverse: what is said to be a gateway stands behind none. */
  readonly mayBeSubDevice: boolean;
  readonly dataFormat: 'alink' | 'custom';
  /** Published: what devices and checks go by. */
  thingModel: ThingModel | undefined;
  /** Written but not published yet. */
  draftModel: ThingModel | undefined;
  readonly topics: readonly TopicClass[];
  /** Converts messages of a passthrough product, and those on own topics that ask for it. */
  script: ProductScript | undefined;
  /** Off and empty at the start, as on the platform. */
  readonly configuration: RemoteConfiguration = { enabled: false, stored: undefined, earlier: [] };
  readonly devices = new Map<string, Device>();

  constructor(settings: ProductSettings) {
    this.productKey = settings.productKey;
    this.name = settings.name ?? settings.productKey;
    this.productSecret = settings.productSecret;
    this.dynamicRegistration = settings.dynamicRegistration ?? false;
    this.nodeType = settings.nodeType ?? 'device';
    this.statedNodeType = settings.nodeType;
    this.mayBeGateway = settings.nodeType !== 'device';
    this.mayBeSubDevice = settings.nodeType !== 'gateway';
    this.dataFormat = settings.dataFormat ?? 'alink';
    this.thingModel = settings.thingModel;
    this.topics = settings.topics ?? DEFAULT_TOPIC_CLASSES;
  }
}
