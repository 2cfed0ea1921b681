// Messages of TensorBoard's event files in protocol-buffer encoding: the few fields that scalars need.
// https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/event.proto, summary.proto

/** Numbers by tag, for example `{ 'train/loss': 4.1 }`. */
export type Scalars = Readonly<Record<string, number>>;

const wireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** Fields of `Event`. */
const event = { wallTime: 1, step: 2, fileVersion: 3, summary: 5, sessionLog: 7 } as const;

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
}

const key = (field: number, type: number): number[] => varint(field * 8 + type);

function fixed(field: number, value: number, type: 'fixed32' | 'fixed64'): number[] {
  const view = new DataView(new ArrayBuffer(type === 'fixed32' ? 4 : 8));
  if (type === 'fixed32') view.setFloat32(0, value, true);
  else view.setFloat64(0, value, true);
  return [...key(field, wireType[type]), ...new Uint8Array(view.buffer)];
}

const integer = (field: number, value: number): number[] => [...key(field, wireType.varint), ...varint(value)];
const message = (field: number, content: readonly number[]): number[] => [
  ...key(field, wireType.bytes),
  ...varint(content.length),
  ...content,
];
const text = (field: number, value: string): number[] => message(field, [...new TextEncoder().encode(value)]);

/** The event that opens a file. `wallTime` is in seconds since 1970, here and below. */
export function versionEvent(wallTime: number): Uint8Array {
  return Uint8Array.from([...fixed(event.wallTime, wallTime, 'fixed64'), ...text(event.fileVersion, 'brain.Event:2')]);
}

/** The event that says that a run goes on at a step: TensorBoard forgets what it has seen of this step and later ones. */
export function sessionStartEvent(wallTime: number, step: number): Uint8Array {
  const start = integer(1, 1);
  return Uint8Array.from([...timeAndStep(wallTime, step), ...message(event.sessionLog, start)]);
}

/** The event of a step with its scalars, float32 each. */
export function scalarsEvent(wallTime: number, step: number, scalars: Scalars): Uint8Array {
  const values = Object.entries(scalars).flatMap(([tag, value]) =>
    message(1, [...text(1, tag), ...fixed(2, value, 'fixed32')]),
  );
  return Uint8Array.from([...timeAndStep(wallTime, step), ...message(event.summary, values)]);
}

const timeAndStep = (wallTime: number, step: number): number[] => [
  ...fixed(event.wallTime, wallTime, 'fixed64'),
  ...integer(event.step, step),
];

/** The step of an event that this file has made; null for the one that opens a file. */
export function stepOfEvent(content: Uint8Array): number | null {
  const afterTime = 9;
  if (content[afterTime] !== event.step * 8) return null;
  let [step, factor, at] = [0, 1, afterTime + 1];
  for (let byte = 128; byte >= 128; at++, factor *= 128) {
    byte = content[at] as number;
    step += (byte % 128) * factor;
  }
  return step;
}
