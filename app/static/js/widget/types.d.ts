// The shapes that the widget's modules share. Read by the type checker only; no browser asks for it.

export interface User {
  id?: string;
  name?: string;
  email?: string;
}

export type Texts = Record<string, string>;
export type Translate = ((key: string, params?: Record<string, string | number>) => string) & {
  locale: string;
  has: (key: string) => boolean;
  direction: 'ltr' | 'rtl';
  /** Adds the texts of a later stage; replaced ones keep their replacement. */
  add: (texts: Record<string, Texts>) => void;
};

export type Translator = (app: App, settings: Settings) => Promise<Translate>;

/** What the page sees as window.Earmark. */
export interface Api {
  texts: Record<string, Texts>;
  /** May change the submission, answer another one, or answer false to cancel. */
  beforeSubmit?: (submission: Submission) => Submission | false | undefined | void | Promise<Submission | false | undefined | void>;
  open: (options?: Prefill) => Promise<void>;
  close: () => Promise<void>;
  attach: (target: Element | string) => void;
  identify: (user: User) => void;
  setContext: (state: unknown) => void;
  setTheme: (theme: string) => void;
  on: (name: string, listener: (detail: any) => void) => () => void;
  remove: () => void;
}

export interface Prefill {
  category?: string;
  description?: string;
}

/** What the entry hands to the stages after it. */
export interface App {
  project: string | undefined;
  base: string;
  modules: string;
  host: HTMLElement;
  root: ShadowRoot;
  data: DOMStringMap;
  launcher: HTMLElement;
  signal: AbortSignal;
  user: User;
  context?: unknown;
  emit: (name: string, detail?: unknown) => void;
  place: (home?: Element) => void;
  dress: (position?: string, theme?: string) => void;
  /** Told when a submission that waited was sent or refused. */
  settled?: (outgoing: Outgoing, answer: Answer) => void;
}

export type Asked = 'no' | 'optional' | 'required';

export interface Settings {
  project: { key: string; name: string };
  categories: { key: string; label?: string | null }[];
  ask: { name: Asked; email: Asked; rating: boolean };
  screenshot: boolean;
  theme: string;
  position: string;
  locale?: string | null;
  texts: Record<string, Texts>;
  consent: string | null;
  privacy_url: string | null;
  max_description: number;
  max_screenshot_bytes: number;
}

export type Shape = import('./annotate-types').Shape;
export type Rect = import('./annotate-types').Box;
export type Picture = import('./annotate-types').Picture;

/** A picture as it will be sent. Sizes in image pixels, shapes in CSS pixels of the picture. */
export interface Shot {
  blob: Blob;
  width: number;
  height: number;
  scale: number;
  outShapes: Shape[];
  hidden: number;
  /** What reopens the drawing tools; lost on reload, so that no unredacted pixel is stored. */
  edit?: { picture: Picture; shapes: Shape[]; redactions: Rect[]; crop: Rect | null };
}

export interface Submission {
  category?: string;
  description?: string;
  rating?: number | '';
  url?: string;
  reporter?: User;
  custom?: Record<string, string> | '';
  api_state?: unknown;
  screenshot?: Blob | null;
  [field: string]: unknown;
}

/** One submission, frozen at its first sending: a retry sends exactly these bytes. */
export interface Outgoing {
  key: string;
  project: string | undefined;
  fields: Submission;
  blob?: Blob | null;
}

/** The envelope of the API, with status (0: no answer came) and what Retry-After asked for. */
export interface Answer {
  status: number;
  wait_s: number;
  data?: Receipt;
  error?: { code: string; message: string; details: { field: string; message: string }[] };
}

/** onProgress: 0 to 1 of the upload. */
export type Post = (base: string, outgoing: Outgoing, onProgress?: (share: number) => void) => Promise<Answer>;

export interface Receipt {
  id: string;
  reference: string;
  created_at: string;
  status_url: string;
  screenshot: string | null;
  duplicate: boolean;
}

export type Open = (app: App, opener: Element | null, prefill?: Prefill) => Promise<void>;

export type Make = <K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes?: Record<string, any>,
  ...kids: (Node | string | null | false | undefined | 0)[]
) => HTMLElementTagNameMap[K];

declare global {
  interface Window {
    Earmark?: Api;
  }
}
