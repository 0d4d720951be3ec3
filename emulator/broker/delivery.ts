/** What became of a message to a device. */
export type Delivery = 'sent' | 'queued' | 'notSubscribed' | 'offline';
