/**
 * How long a place is kept for whoever comes after: a deploy in Node-RED ends the old nodes before it starts the
 * new ones, and what arrives in between must reach those. Milliseconds.
 */
export const TAKEOVER_MS = 5000;
