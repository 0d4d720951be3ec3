/** What the panel answers. */
export interface PanelAnswer {
  status: number;
  body: unknown;
  /** Text instead of JSON. */
  text?: string;
}
