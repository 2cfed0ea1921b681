import type { MpiFunctions } from './mpi-functions.ts';
import type { MpiLibrary } from './types.ts';

/** Room for `MPI_Get_library_version`; `MPI_MAX_LIBRARY_VERSION_STRING` is at most this. */
const longestVersion = 8192;

/** Which implementation a library is, in which version, and of which version of the standard. */
export function describeLibrary(mpi: MpiFunctions): Pick<MpiLibrary, 'implementation' | 'version' | 'standard'> {
  const [text, length] = [new Uint8Array(longestVersion), new Int32Array(1)];
  mpi.MPI_Get_library_version(text, length);
  const [major, minor] = [new Int32Array(1), new Int32Array(1)];
  mpi.MPI_Get_version(major, minor);
  const words = new TextDecoder().decode(text.subarray(0, length[0])).replaceAll('\0', '');
  return { ...parseVersion(words), standard: `${major[0]}.${minor[0]}` };
}

/** The name and version at the start of what a library says about itself. */
export function parseVersion(text: string): Pick<MpiLibrary, 'implementation' | 'version'> {
  const [, name = text.split('\n', 1)[0] as string, version = ''] =
    /^(.*?)(?:\s+Library)?(?:\s+Version)?\s*:?\s+v?(\d+(?:\.\d+)*\w*)/.exec(text) ?? [];
  return { implementation: name.trim(), version };
}
