import type { DispatchingBackend } from './dispatch.ts';
import { mapElements } from './map-elements.ts';
import type { DataId } from './stock-backend.ts';

/**
 * Turns data that lie as float16 into float32, in memory of their own, for whatever takes float32: stock kernels, reads, writes in place.
 *
 * The old memory goes the way of every tensor that is disposed while recorded work refers to it. Data that have not been written yet have
 * none, and need only be float32 from now on.
 */
export function widen(backend: DispatchingBackend, dataId: DataId): void {
  const data = backend.tensorMap.get(dataId);
  const { shape, resource } = data;
  data.half = false;
  if (!resource) return;
  const half = backend.makeTensorInfo(shape, 'float32');
  Object.assign(backend.tensorMap.get(half.dataId), { half: true, resource });
  data.resource = null;
  mapElements(backend, 'Widen', { half }, { dataId, shape, dtype: 'float32' }, ({ memory }) =>
    memory.load('half', 'i'),
  );
  backend.disposeData(half.dataId);
}
