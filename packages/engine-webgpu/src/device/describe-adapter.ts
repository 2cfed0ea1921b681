import type { FoundAdapter } from './find-adapter.ts';

/**
 * Describes an adapter for people: what computes, and the driver as it names itself.
 *
 * Software is named as such.
 */
export function describeAdapter({ adapter, software }: FoundAdapter): string {
  const { vendor, architecture, device, description } = adapter.info;
  const maker = [vendor, architecture].filter(Boolean).join(' ');
  const name = device.replace(/[-\s]+$/, '');
  const model = name && maker ? `${name} (${maker})` : name || maker || 'a GPU that tells no name';
  const driver = description ? `, driver: ${description}` : '';
  return software
    ? `software on the processor, not a GPU (for tests; far too slow to train with): ${model}${driver}`
    : `${model}${driver}`;
}
