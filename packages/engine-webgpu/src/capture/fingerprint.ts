import type { GpuBackend } from '../backend.ts';
import type { Recording } from './recording.ts';

/**
 * Describes a recording, command by command, so that two of the same step can be compared: programs, workgroups, uniforms, constants, and
 * which buffers are bound.
 */
export function fingerprint(backend: GpuBackend, recording: Recording): string[] {
  const { arena, commands, groups } = recording;
  const nameOf = (buffer: GPUBuffer): string => arena.nameOf(buffer) ?? `outside ${idOf(buffer)}`;
  const bound = ({ resource }: GPUBindGroupEntry): string => {
    const uniforms = arena.uniforms.contentsOf(resource) ?? backend.uniforms.contentsOf(resource);
    if (uniforms !== undefined) return `uniforms ${uniforms}`;
    const { buffer, offset = 0, size } = resource as GPUBufferBinding;
    return `${nameOf(buffer)}${offset ? ` from ${offset}` : ''}${size === undefined ? '' : ` of ${size}`}`;
  };
  return commands.segments.flatMap((segment) =>
    'copies' in segment
      ? segment.copies.map(({ source, target, size }) => `copy of ${size}: ${nameOf(source)} to ${nameOf(target)}`)
      : segment.dispatches.map(
          ({ pipeline, group, workgroups }) =>
            `program ${pipeline.label || idOf(pipeline)} on ${workgroups.join(' x ')}: ${(groups.get(group) ?? []).map(bound).join('; ')}`,
        ),
  );
}

/** The first place at which two recordings differ; null where there is none. */
export function firstDifference(a: readonly string[], b: readonly string[]): string | null {
  const index = a.findIndex((line, i) => line !== b[i]);
  if (index < 0 && a.length === b.length) return null;
  const at = index < 0 ? a.length : index;
  return `at command ${at}, first\n  ${a[at] ?? 'nothing'}\nthen\n  ${b[at] ?? 'nothing'}`;
}

const ids = new WeakMap<object, number>();
let lastId = 0;

function idOf(object: object): number {
  let id = ids.get(object);
  if (id === undefined) {
    id = ++lastId;
    ids.set(object, id);
  }
  return id;
}
