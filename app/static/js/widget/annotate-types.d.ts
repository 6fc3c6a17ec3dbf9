/** What the annotation's modules share. Read by the type checker only; no browser asks for it. */
import type { Editor } from './annotate.js';

export type Point = [x: number, y: number];

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Size {
  width: number;
  height: number;
}

/**
 * The server's format; and `redaction` and `crop` (at most one), which never leave the browser as shapes.
 * CSS px of the picture.
 */
export interface Shape {
  kind: 'rectangle' | 'arrow' | 'pen' | 'text' | 'highlight' | 'redaction' | 'crop';
  /** Two corners; from and to; a line; for text its top left corner. */
  points: Point[];
  /** `#rrggbb` */
  color?: string;
  text?: string;
}

/** scale: image px per CSS px. */
export interface Picture {
  canvas: HTMLCanvasElement;
  scale: number;
  method: 'render' | 'display' | 'file';
}

/** What leaves the editor. Sizes in image px; `outShapes` relative to the crop, in CSS px. */
export interface Result {
  blob: Blob;
  width: number;
  height: number;
  scale: number;
  outShapes: Shape[];
  /** What opens the view again as it was left. */
  shapes: Shape[];
  redactions: Box[];
  crop: Box | null;
}

export type Translate = (key: string, params?: Record<string, string | number>) => string;

export interface Options {
  host: HTMLElement;
  root: ShadowRoot;
  picture: Picture;
  /** Marks, redactions and crop of an earlier visit. */
  shapes: Shape[];
  redactions: Box[];
  crop: Box | null;
  t: Translate;
  theme?: string;
}

export type Tool = Shape['kind'] | 'select';
/** A line's colour, and a marker's. */
export type Ink = 'line' | 'marker';
export interface ToolFacts {
  key: string;
  icon: string;
  /** None: draws in no colour of its own. */
  ink?: Ink;
}

/** What is being dragged. */
export interface Drag {
  from: Point;
  shape: Shape;
  /** Where in the list of shapes it stands or will stand. */
  at: number;
  /** The handle that is held, or -1 for the whole. */
  handle: number;
  /** It is just being drawn. */
  fresh: boolean;
  /** The shape as it would be when let go. */
  live?: Shape;
}

/** draw.js */
export type BoxShape = (kind: 'redaction' | 'crop', box: Box) => Shape;
export type InLayers = (shapes: Shape[]) => Shape[];
/** The box around a shape, without its stroke. */
export type Bounds = (shape: Shape) => Box;
/** Clockwise to the bottom right. */
export type Corners = (shape: Shape) => Point[];
/** Where a shape can be taken hold of: an arrow's ends, else the corners; text has none. */
export type Handles = (shape: Shape) => Point[];
/** Whether a point is on a shape: inside a filled one, within `slack` CSS px of a drawn line. */
export type Touches = (shape: Shape, point: Point, slack: number) => boolean;
/** The shape with one handle put elsewhere. */
export type Pull = (shape: Shape, handle: number, to: Point) => Shape;
/** The shape moved, as far as the picture goes. */
export type Move = (shape: Shape, by: Point, picture: Size) => Shape;
export type Reshape = (shape: Shape, change: (point: Point) => Point) => Shape;
/** The nearest point inside a picture. */
export type Into = (point: Point, picture: Size) => Point;
/** From a point to another, or to a stretch of line. */
export type Distance = (point: Point, from: Point, to?: Point) => number;
export type DrawShape = (ctx: CanvasRenderingContext2D, shape: Shape) => void;
export type Outline = (shape: Shape) => Path2D;
export type WithHead = (arrow: Point[]) => Point[];
/** `unit`: CSS px of the picture per screen px. */
export type DrawGrip = (ctx: CanvasRenderingContext2D, shape: Shape, unit: number) => void;
export type Finish = (picture: Picture, all: Shape[]) => Promise<Result>;
/** Box in CSS px; answer in image px. */
export type WholePixels = (picture: Picture, box: Box) => Box;
/** Boxes in image px of the source. */
export type Copy = (source: HTMLCanvasElement | OffscreenCanvas, area: Box, redactions: Box[], factor?: number) => OffscreenCanvas;
export type Encode = (canvas: OffscreenCanvas) => Promise<Blob>;
/** `area` in image px, `scale` image px per CSS px. */
export type Outgoing = (shapes: Shape[], area: Box, scale: number) => Shape[];
export type Clipped = (shape: Shape, picture: Size) => Point[];

/** annotate-view.js: the view's elements. Knows no shapes; `act` is told what was pressed. */
export interface View {
  dialog: HTMLDialogElement;
  /** What the picture may fill. */
  area: HTMLElement;
  /** The picture's box; items and text fields are placed in it. */
  stage: HTMLElement;
  marks: HTMLCanvasElement;
  items: HTMLElement;
  dock: HTMLElement;
  /** The current tool in words, for phones. */
  name: HTMLElement;
  sentence: HTMLElement;
  colours: HTMLElement;
  /** "Whole page" or "Area". */
  extent: HTMLElement;
  /** Asks before what was drawn is thrown away. */
  ask: HTMLElement;
  live: HTMLElement;
  buttons: Record<string, HTMLButtonElement>;
}
export type BuildView = (t: Translate, picture: HTMLCanvasElement, act: (action: string) => void) => View;
export type MakeButton = (name: string, click: () => void, attributes: Record<string, unknown>, ...content: (Node | string)[]) => HTMLButtonElement;
/** Box in CSS px of the picture; zoom: screen px for one of them. */
export type Place = (element: HTMLElement, box: Box, zoom: number) => void;
export type Show = (editor: Editor) => void;
/** `at`: where the text stands or will stand in the list of shapes. */
export type Write = (editor: Editor, at: number, shape?: Shape) => void;

/** annotate-hands.js */
export type Hear = (editor: Editor, event: PointerEvent) => void;
export type At<T> = (editor: Editor, point: Point) => T;
/** `reach` in screen px. */
export type TakenAt = (editor: Editor, point: Point, reach: number) => Drag | null;
export type Dragged = (editor: Editor, event: PointerEvent, drag: Drag, to: Point) => Shape | undefined;
export type PointOf = (editor: Editor, event: MouseEvent) => Point;
export type Press = (editor: Editor, event: KeyboardEvent) => boolean;
export type Nudge = (editor: Editor, subject: Shape, direction: Point, step: number, resize: boolean) => void;
