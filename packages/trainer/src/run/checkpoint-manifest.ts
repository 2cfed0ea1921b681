import type { Cursor } from '../events.ts';
import { crypto } from './node.ts';

/** The JSON file beside the tensors of a checkpoint; without it they count for nothing. */
export interface CheckpointManifest {
  /** Steps done; the index of the step a resume starts with. */
  readonly step: number;
  /** The batch a resume starts with. */
  readonly cursor: Cursor;
  readonly seed: number | string;
  /** The resolved configuration of the run. */
  readonly config: object;
  /** The safetensors file. */
  readonly tensors: { readonly file: string; readonly bytes: number; readonly sha256: string };
}

const format = 'tfjs-ssl checkpoint';
const version = 1;

/** SHA-256 in hexadecimal. */
export function sha256(data: string | Uint8Array): string {
  return crypto.createHash('sha256').update(data).digest('hex');
}

/** Writes a manifest as JSON for people, with a checksum over its compact form. */
export function encodeManifest(manifest: CheckpointManifest): string {
  const body = JSON.parse(JSON.stringify({ format, version, ...manifest }));
  return `${JSON.stringify({ ...body, checksum: sha256(JSON.stringify(body)) }, null, 2)}\n`;
}

/**
 * Reads a manifest.
 *
 * @throws Error with what is wrong with it.
 */
export function decodeManifest(text: string): CheckpointManifest {
  let parsed: Record<string, unknown>;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new Error(`its JSON is damaged: ${oneLine((error as Error).message)}`);
  }
  const { checksum, ...body } = parsed ?? {};
  if (body.format !== format) throw new Error('its JSON is not the JSON of a checkpoint');
  if (body.version !== version)
    throw new Error(`its format is version ${body.version}, and this trainer reads version ${version}`);
  if (checksum !== sha256(JSON.stringify(body))) throw new Error('its JSON is damaged: the checksum does not match');
  for (const [name, isRight] of Object.entries(fields)) {
    const [field, part] = name.split('.') as [string, string?];
    const value = part ? (body[field] as Record<string, unknown> | null | undefined)?.[part] : body[field];
    if (!isRight(value))
      throw new Error(`its JSON has no valid ${name}, got ${oneLine(JSON.stringify(value) ?? 'none')}`);
  }
  return body as unknown as CheckpointManifest;
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isText = (value: unknown): boolean => typeof value === 'string';

/** What a manifest holds, by dotted name. */
const fields: Readonly<Record<keyof CheckpointManifest | `${string}.${string}`, (value: unknown) => boolean>> = {
  step: isCount,
  cursor: isObject,
  'cursor.epoch': isCount,
  'cursor.step': isCount,
  seed: (value) => isText(value) || typeof value === 'number',
  config: isObject,
  tensors: isObject,
  'tensors.file': isText,
  'tensors.bytes': isCount,
  'tensors.sha256': isText,
};

/** Whether a value of JSON has fields. */
export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A text that quotes what is damaged, without its line breaks and control characters, and cut off. */
export function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').slice(0, 200);
}
