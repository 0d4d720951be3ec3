/** Times of a session, milliseconds; tests shorten them. */
export interface Timing {
  /** TCP, TLS and WebSocket handshake together. */
  handshakeMs: number;
  /** From CONNECT to CONNACK. */
  connackMs: number;
  /** From SUBSCRIBE to SUBACK; afterwards the session is used all the same. */
  subackMs: number;
  /** First and longest wait after a lost or failed connection. */
  backoff: { first: number; longest: number };
  /** First and longest wait after the platform refused the device. */
  refusalBackoff: { first: number; longest: number };
  /** A connection that lasted this long starts the back-off anew. */
  stableMs: number;
  /** Wait when another client uses the same identity. */
  conflictWait: { shortest: number; longest: number };
  /** Connections that the platform closed this soon are counted as kicks. */
  quickKickMs: number;
  /** Kicks within the window that make a conflict. */
  kicks: { count: number; windowMs: number };
  /** CONNECTs a minute that the platform takes (section D). */
  connectsPerMinute: number;
  /** From DISCONNECT to the end of the socket, then it is cut. */
  endMs: number;
  /** One exchange with the platform's HTTPS door (A.6, A.8). */
  httpsMs: number;
  /** Dynamic registration over MQTT; the platform closes the connection after 15 s (A.5). */
  registrationMs: number;
  /**
   * How long the place of a listener is kept for whoever comes after: a deploy in Node-RED ends the old nodes before
   * it starts the new ones, and what arrives in between must reach those.
   */
  takeoverMs: number;
  /** One exchange with the platform's clock; reports wait for it after each connect. */
  clockMs: number;
  /** A download that brings no byte for so long is tried again. */
  stallMs: number;
  /** First and longest wait of a download that failed. */
  downloadBackoff: { first: number; longest: number };
  /** One block of a file over MQTT (B.7). */
  blockMs: number;
  /** From one request for a block to the next: the platform takes ten messages a second (D). */
  blockGapMs: number;
  /** From one progress report of a module to the next (G.3). */
  progressMs: number;
  /** From the acceptance of a guarded configuration to the first question whether the platform is still reached. */
  configurationSettleMs: number;
  /** What a restart gives a guarded configuration that has hardly any time left. */
  configurationGraceMs: number;
}

export const TIMING: Timing = {
  handshakeMs: 10_000,
  connackMs: 10_000,
  subackMs: 5_000,
  backoff: { first: 2_000, longest: 120_000 },
  refusalBackoff: { first: 20_000, longest: 600_000 },
  stableMs: 60_000,
  conflictWait: { shortest: 300_000, longest: 600_000 },
  quickKickMs: 30_000,
  // Three, because a broker that restarts or a proxy that reloads closes connections in the same way once or twice.
  kicks: { count: 3, windowMs: 120_000 },
  connectsPerMinute: 5,
  endMs: 2_000,
  httpsMs: 10_000,
  registrationMs: 15_000,
  takeoverMs: 5_000,
  clockMs: 3_000,
  stallMs: 30_000,
  downloadBackoff: { first: 1_000, longest: 60_000 },
  blockMs: 10_000,
  blockGapMs: 100,
  progressMs: 1_000,
  configurationSettleMs: 10_000,
  configurationGraceMs: 60_000,
};
