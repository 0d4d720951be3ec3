/** Why the platform ends a session (C.3). */
export type KickCode = 427 | 521 | 522 | 6401;

/** What the platform needs of a connection, or of a login over that of a gateway. */
export interface SessionOwner {
  /** @param code why, for a gateway that is told about its sub-device (C.3) */
  close(code: KickCode): void;
}
